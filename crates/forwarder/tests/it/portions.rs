//! Whatever the records are, their portions are bounded and hold them all, byte for byte and in their order.

use forwarder::chunks::{Chunk, Chunks, MOST_BYTES, MOST_RECORDS};
use model::record::Record;
use proptest::prelude::*;
use serde_json::value::RawValue;

fn cut(records: &[Record]) -> Vec<Chunk> {
    let mut chunks = Chunks::default();
    let mut all: Vec<Chunk> =
        records.iter().filter_map(|record| chunks.push(record.clone())).collect();
    all.extend(chunks.finish());
    all
}

#[derive(serde::Deserialize)]
struct Body<'a> {
    #[serde(borrow, rename = "Records")]
    records: Vec<&'a RawValue>,
}

/// Records of many sizes: mostly small, some near and above the bound.
fn records() -> impl Strategy<Value = Vec<Record>> {
    let size = prop_oneof![
        40 => 0_usize..300,
        2 => 100_000_usize..400_000,
        1 => MOST_BYTES - 20..MOST_BYTES + 20,
    ];
    let record = (size, "[ a-zé\\\\\"]{0,4}").prop_map(|(size, text)| {
        let text = serde_json::to_string(&text).unwrap();
        Record::from(format!(r#"{{ "t":{text}, "x": "{}"}}"#, "x".repeat(size)).into_bytes())
    });
    let small =
        "[a-z]{0,40}".prop_map(|text| Record::from(format!(r#"{{"x":"{text}"}}"#).into_bytes()));
    prop_oneof![
        4 => proptest::collection::vec(record, 0..60),
        1 => (small, 900_usize..2_200).prop_map(|(record, count)| vec![record; count]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn portions_hold_all_records_and_keep_their_bounds(records in records()) {
        let chunks = cut(&records);
        let mut seen = Vec::new();
        for (place, chunk) in chunks.iter().enumerate() {
            let body = chunk.body();
            prop_assert!(chunk.records.len() <= MOST_RECORDS);
            prop_assert!(body.len() <= MOST_BYTES || chunk.records.len() == 1);
            prop_assert_eq!(&chunk.name, &place.to_string());
            let read: Body<'_> = serde_json::from_slice(&body).unwrap();
            seen.extend(read.records.iter().map(|raw| raw.get().as_bytes().to_vec()));
        }
        let sent: Vec<Vec<u8>> = records.iter().map(|record| record.raw().to_vec()).collect();
        prop_assert_eq!(seen, sent);
        prop_assert_eq!(cut(&records), chunks);
    }

    #[test]
    fn halving_to_the_end_leaves_single_records_under_different_names(count in 1_usize..200) {
        let records: Vec<Record> =
            (0..count).map(|n| Record::from(format!("{{\"n\":{n}}}").into_bytes())).collect();
        let (mut waiting, mut singles) = (cut(&records), Vec::new());
        while let Some(chunk) = waiting.pop() {
            match chunk.clone().halves() {
                Some([first, second]) => waiting.extend([second, first]),
                None => singles.push(chunk),
            }
        }
        let names: std::collections::BTreeSet<_> = singles.iter().map(|c| &c.name).collect();
        prop_assert_eq!(names.len(), count);
        let all: Vec<Record> = singles.iter().flat_map(|chunk| chunk.records.clone()).collect();
        prop_assert_eq!(all, records);
    }
}
