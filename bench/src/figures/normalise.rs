//! `normalise`: how many records one core identifies and normalises in a second.
//!
//! One thread, processor time only; the event is built with all that follows from it and then dropped.

use std::hint::black_box;

use anyhow::{Context as _, Result, ensure};
use bench::corpus::Corpus;
use bench::report::{Figure, number};
use bench::samples::Samples;
use bytes::Bytes;
use model::mapping::EventSink;
use model::ocsf::Event;

use crate::processor;
use crate::setting::Setting;
use crate::source::{SEED, START, SecurityEvents};

const RECORDS: u64 = 50_000;
const ROUNDS: usize = 7;

/// Measures.
pub(crate) fn measure(_setting: &Setting) -> Result<Vec<Figure>> {
    let events = SecurityEvents::find()?;
    let records: Vec<Bytes> = Corpus::new(SEED, START, 250).records(0..RECORDS).collect();
    let bytes: usize = records.iter().map(Bytes::len).sum();
    let (mut rates, mut identify) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (unusable, identifying) = processor::time(|| {
            records.iter().filter(|raw| black_box(events.mapping.identify(raw)).is_err()).count()
        })?;
        let mut sink = Counting::default();
        let (_, normalising) = processor::time(|| {
            for raw in &records {
                black_box(events.mapping.normalise(raw, &mut sink));
            }
        })?;
        ensure!(unusable == 0 && sink.0 == RECORDS, "the corpus has records that cannot be used");
        let per_second = |seconds: f64| RECORDS as f64 / seconds;
        rates.push(per_second((identifying + normalising).as_secs_f64()));
        identify.push(per_second(identifying.as_secs_f64()));
    }
    let rates = Samples::new(rates).context("nothing was measured")?;
    let identify = Samples::new(identify).context("nothing was measured")?;
    Ok(vec![Figure {
        name: "normalise",
        value: rates.most(),
        unit: "records/s per core",
        aim: None,
        ratio: None,
        detail: format!(
            "best of {ROUNDS}, least {}; identifying alone {}/s; {RECORDS} records of {} bytes on average",
            number(rates.least()),
            number(identify.most()),
            bytes as u64 / RECORDS
        ),
    }])
}

/// Counts events.
#[derive(Default)]
struct Counting(u64);

impl EventSink for Counting {
    fn push(&mut self, event: &Event<'_>) {
        black_box(event);
        self.0 += 1;
    }
}
