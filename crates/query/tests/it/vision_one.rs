//! Queries over Trend Vision One, with what each of them means.

use std::sync::Arc;

use model::ocsf::Class;
use model::source::{MsgOrigin, Source, Sources};
use model::time::Timestamp;
use query::taegis::{self, Context};

use crate::outline;

const QUERIES: &[&str] = &[
    "FROM alert WHERE sensor_type = 'Trend Vision One' EARLIEST=-7d",
    "FROM detection WHERE msg_class = 'trendmicro_visionone_alerts' AND severity = 'Critical'",
    "FROM detection WHERE trendmicro_visionone.workbenchId = 'WB-70155-20260511-00001'",
    "FROM detection WHERE trendmicro_visionone.matchedRules.matchedFilters.mitreTechniqueIds = 'T1059.005'",
    "FROM detection WHERE attack_technique_ids = 'T1566.002' AND tactics = 'Initial Access'",
    "FROM detection WHERE hostname = 'KAWA-PC-210' OR username CONTAINS 'tanabe'",
    "FROM detection WHERE @ip = '192.0.2.210' OR @user = 'y.tanabe@kawa.example'",
    "FROM detection WHERE @hash = '2fd4e1c67a2d28fced849ee1bb76e7391b93eb12' AND event_score >= 60",
    "FROM detection WHERE file.hash IS NOT NULL AND url CONTAINS 'evil' AND srcip IS NULL",
    "FROM detection WHERE email.sender.address = 'orders@evil.example' AND is_alert = 'true'",
    "FROM cloudaudit WHERE user_name CONTAINS 'admin' AND msg_origin.category = 'endpoint' | head 2",
    "FROM cloudaudit WHERE event_name = 'Add API key' AND srcip = '203.0.113.40'",
    "FROM management WHERE target_username = 'leaver@kawa.example'",
    "FROM entity_management WHERE category = 'User Roles'",
];

fn sources() -> Sources {
    let source = |name: &str, msg_class: &str, classes: &[Class]| {
        Arc::new(Source {
            id: format!("trend_vision_one.{name}"),
            msg_class: format!("trendmicro_visionone_{msg_class}"),
            sensor_type: "Trend Vision One".to_owned(),
            msg_origin: MsgOrigin {
                source: "trendmicro_visionone".to_owned(),
                vendor: "trendmicro".to_owned(),
                category: "endpoint".to_owned(),
            },
            classes: classes.to_vec(),
        })
    };
    let audit = [Class::ApiActivity, Class::EntityManagement];
    Sources::new([
        source("alerts", "alerts", &[Class::DetectionFinding]),
        source("audit_logs", "audit_logs", &audit),
        source(
            "observed_attack_techniques",
            "observedattacktechniques",
            &[Class::DetectionFinding],
        ),
    ])
}

#[test]
fn queries_over_vision_one_mean_this() {
    let now = Timestamp::parse("2026-05-12T00:00:00Z").unwrap();
    let sources = sources();
    let outline = |text: &&str| match taegis::parse(text, &Context { sources: &sources, now }) {
        Ok(parsed) => format!("{text}\n{}", outline::of(&parsed)),
        Err(error) => panic!("{}\nhint: {:?}", error.render(text), error.hint),
    };
    insta::assert_snapshot!(QUERIES.iter().map(outline).collect::<Vec<_>>().join("\n\n"));
}
