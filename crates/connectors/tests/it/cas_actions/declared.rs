//! What the catalogue shows of the actions.

use model::action::Input;
use model::action::spec::Effect;
use serde_json::{Value, json};

use super::{World, fatal, none};
use crate::support::cas;

#[test]
fn every_action_is_declared_whole_and_in_both_languages() {
    let vendor = cas();
    let manifest = vendor.manifest();
    assert!(manifest.respond);
    let names: Vec<_> = manifest.actions.iter().map(|action| &*action.name).collect();
    assert_eq!(
        names,
        [
            "ping",
            "add_entities_to_blocklist",
            "remove_entities_from_blocklist",
            "list_blocklist",
            "enrich_entities",
            "entity_email_search",
            "mitigate_emails",
            "mitigate_accounts",
        ]
    );
    for action in &manifest.actions {
        let mut texts = vec![&action.title, &action.help];
        texts.extend(action.parameters.iter().flat_map(|one| [&one.title, &one.help]));
        assert!(
            texts.iter().all(|text| !text.en.is_empty() && !text.ja.is_empty()),
            "{}",
            action.name
        );
        assert!(!action.permissions.is_empty(), "{}", action.name);
        jsonschema::validator_for(&action.input_schema()).unwrap();
        if !action.result.is_null() {
            jsonschema::validator_for(&action.result).unwrap();
        }
        if let Some(reverse) = &action.reverse {
            let reverse = manifest.action(reverse).unwrap();
            assert_eq!(reverse.reverse.as_ref(), Some(&action.name));
            assert_ne!(reverse.effect, action.effect);
        }
    }
    let effect = |name| manifest.action(name).unwrap().effect;
    assert_eq!(effect("mitigate_accounts"), Effect::Contains);
    assert_eq!(effect("remove_entities_from_blocklist"), Effect::Restores);
    assert!(!effect("entity_email_search").changes());
}

#[test]
fn parameters_are_known_by_their_titles_and_checked() {
    let vendor = cas();
    let checked = |action: &str, given: Value| {
        let input: Input = serde_json::from_value(json!({ "parameters": given })).unwrap();
        let checked = input.checked(vendor.manifest().action(action).unwrap());
        checked.map(|input| Value::Object(input.parameters)).map_err(|error| error.to_string())
    };
    assert_eq!(
        checked("mitigate_emails", json!({ "Message IDs": "<a@x>,<b@x>", "service": "exchange" })),
        Ok(
            json!({ "message_ids": ["<a@x>", "<b@x>"], "mitigation_action": "Delete", "service": "Exchange" })
        )
    );
    assert_eq!(
        checked("mitigate_accounts", json!({ "Email Addresses": "a@b.example" })),
        Ok(json!({ "email_addresses": ["a@b.example"], "mitigation_action": "Disable Account" }))
    );
    assert_eq!(
        checked("entity_email_search", json!({ "Max Days Backwards": "7" })),
        Ok(json!({ "max_days_backwards": 7, "max_emails_to_return": 100 }))
    );
    for (action, given) in [
        ("mitigate_emails", json!({})),
        ("mitigate_emails", json!({ "message_ids": "a", "service": "Teams" })),
        (
            "mitigate_accounts",
            json!({ "email_addresses": "a@b.example", "mitigation_action": "Delete" }),
        ),
        ("entity_email_search", json!({ "max_days_backwards": "many" })),
    ] {
        assert!(checked(action, given.clone()).is_err(), "{action} {given}");
    }
}

#[tokio::test]
async fn an_action_that_is_not_there_is_told() {
    let world = World::new(&[]).await;
    let input = Input::default();
    let key = world.connection.keys()[0].clone();
    let rights =
        [model::action::Right { key, budget: Box::new(crate::support::Ledger::default()) }];
    let call = model::action::Call {
        action: "isolate",
        input: &input,
        rights: &rights,
        journal: &world.journal,
    };
    let message = fatal(world.connection.act(&call).await);
    assert!(message.en.contains("`isolate` is no action of this integration"), "{}", message.en);
    assert!(world.done("ping", &[], none()).await.is_success);
}
