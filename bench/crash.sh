#!/usr/bin/env bash
# Promise 1 under `kill -9`: a server collects 16 streams from a simulator that takes 20 requests in
# 2 seconds, and is killed once at each failpoint and KILLS times (default 50) at random moments.
# Prints held, stored, what was stored twice or lost, duplicates dropped, kills and refusals; fails
# when the simulator's books and the lake do not agree. Needs the tests' build, which has failpoints.
#
# usage: bench/crash.sh [KILLS]
set -euo pipefail
cd "$(dirname "$0")/.."
export TARN_CRASH_KILLS="${1:-50}"
exec cargo test --workspace --lib --bins --examples --tests -- --nocapture crash::
