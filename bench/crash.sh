#!/usr/bin/env bash
# Promise 1 under `kill -9`: a server collects from the simulators of three vendors (16 streams of Cloud
# App Security, 3 of Vision One, 13 of Mimecast), each of which takes 20 requests in 2 seconds, and is
# killed once at each failpoint and KILLS times (default 50) at random moments. Prints for each vendor
# held, stored, what was stored twice or lost, and refusals; fails when the simulators' books and the
# lake do not agree. Needs the tests' build, which has failpoints.
#
# usage: bench/crash.sh [KILLS]
set -euo pipefail
cd "$(dirname "$0")/.."
export TARN_CRASH_KILLS="${1:-50}"
exec cargo test --workspace --lib --bins --examples --tests -- --nocapture crash::
