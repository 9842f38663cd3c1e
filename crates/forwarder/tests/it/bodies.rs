//! What messages announce, through the door that the client uses.

use connectors::trail::{Puzzle, announced};

use crate::support::trail::{key, message, test_message};

#[test]
fn every_way_of_telling_names_the_same_objects() {
    let keys = [format!("my logs/{}", key(1)), key(2)];
    for way in 0..4 {
        // EventBridge tells of one object at a time.
        let told = if way == 2 { &keys[..1] } else { &keys[..] };
        let objects = announced(&message(way, "trail-bucket", told)).unwrap();
        let found: Vec<String> = objects.iter().map(|object| object.key.clone()).collect();
        assert_eq!(found, told, "way {way}");
        assert!(objects.iter().all(|object| object.bucket == "trail-bucket"));
    }
}

#[test]
fn the_test_message_digests_and_other_services_announce_nothing() {
    assert!(announced(&test_message("trail-bucket")).unwrap().is_empty());
    let digest = "AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2026/11/02/d.json.gz".to_owned();
    let balancer = "AWSLogs/111122223333/elasticloadbalancing/eu-west-1/x.log.gz".to_owned();
    for way in 0..4 {
        for key in [&digest, &balancer] {
            let keys = std::slice::from_ref(key);
            assert!(announced(&message(way, "trail-bucket", keys)).unwrap().is_empty());
        }
    }
    assert!(matches!(announced("hello"), Err(Puzzle::NotJson(_))));
    assert!(matches!(announced("{}"), Err(Puzzle::UnknownShape)));
}
