//! How the table is made, and what is said of one that is not as it should be.

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use outrigger_ports::probe::Severity;
use outrigger_ports::store::{MigrateMode, Store, StoreError};

use crate::emulator::{Emulator, on_both};
use crate::support::{APPLY, client, clock, connect, create, key};

on_both!(
    a_table_is_made_once_whoever_comes_together,
    without_a_table_it_is_said_how_to_make_it,
    a_table_of_provisioned_capacity_is_made_and_described,
    a_table_of_somebody_else_is_refused,
);

async fn a_table_is_made_once_whoever_comes_together(emulator: Emulator) {
    let url = emulator.fresh_url();
    let (one, two) = (connect(&url, clock()).await, connect(&url, clock()).await);
    let plan = one.migrate(MigrateMode::Plan).await.unwrap();
    assert!(plan.len() == 2 && plan.iter().all(|migration| !migration.applied), "{plan:?}");
    let (first, second) = tokio::join!(one.migrate(APPLY), two.migrate(APPLY));
    assert_eq!(first.unwrap(), second.unwrap());
    let plan = two.migrate(MigrateMode::Plan).await.unwrap();
    assert!(plan.iter().all(|migration| migration.applied), "{plan:?}");
    create(&two, "a").await.unwrap();
    one.migrate(APPLY).await.unwrap();
    assert!(one.get(&key("a")).await.unwrap().is_some());
}

async fn without_a_table_it_is_said_how_to_make_it(emulator: Emulator) {
    let store = connect(&emulator.fresh_url(), clock()).await;
    for error in [
        store.get(&key("a")).await.unwrap_err(),
        create(&store, "a").await.unwrap_err(),
        store.scan(None, 1).await.unwrap_err(),
        store.probe().await.unwrap_err(),
    ] {
        assert!(matches!(&error, StoreError::Schema(what) if what.contains("migrate apply")));
    }
}

async fn a_table_of_provisioned_capacity_is_made_and_described(emulator: Emulator) {
    let url = emulator.fresh_url() + "&read_units=7&write_units=9";
    let store = connect(&url, clock()).await;
    store.migrate(APPLY).await.unwrap();
    create(&store, "a").await.unwrap();
    let probed = store.probe().await.unwrap();
    let fact = |name| probed.facts.iter().find(|(known, _)| *known == name).unwrap().1.clone();
    assert_eq!(fact("capacity"), "7 read and 9 write units");
    assert_eq!((fact("ttl"), fact("can_write")), ("true".to_owned(), "true".to_owned()));
    assert!(probed.findings.iter().all(|finding| finding.severity != Severity::Error));
}

async fn a_table_of_somebody_else_is_refused(emulator: Emulator) {
    let url = emulator.url("of-somebody-else");
    let store = connect(&url, clock()).await;
    let attribute = AttributeDefinition::builder().attribute_name("id");
    let attribute = attribute.attribute_type(ScalarAttributeType::S).build().unwrap();
    let schema = KeySchemaElement::builder().attribute_name("id").key_type(KeyType::Hash);
    client(emulator)
        .create_table()
        .table_name("of-somebody-else")
        .attribute_definitions(attribute)
        .key_schema(schema.build().unwrap())
        .billing_mode(BillingMode::PayPerRequest)
        .send()
        .await
        .unwrap();
    let refused = store.migrate(APPLY).await;
    assert!(matches!(&refused, Err(StoreError::Schema(what)) if what.contains("other keys")));
}
