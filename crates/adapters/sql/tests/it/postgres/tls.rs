//! TLS towards the server, as far as the URL asks for it.

use outrigger_ports::store::{Store, StoreError};
use outrigger_sql::{PostgresOptions, PostgresStore};
use outrigger_testkit::{Postgres, Tls};

use super::migrated;
use crate::support::{clock, create, key, on_one_core};

#[test]
fn the_server_is_verified_as_far_as_the_url_asks_for_it() {
    let server = Postgres::start_tls().unwrap();
    let own = server.ca_path().unwrap();
    let other = Tls::generate().unwrap();
    let foreign = other.ca_path();
    on_one_core(async {
        let connect = async |parameters: String| {
            let options = PostgresOptions::at(format!("{}?{parameters}", server.url()));
            PostgresStore::connect(&options, clock()).await
        };
        let refused = async |parameters: String, because: &str| {
            let error = connect(parameters).await.unwrap_err();
            assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
            assert!(error.to_string().contains(because), "{error}");
        };
        let (own, foreign) = (own.display(), foreign.display());
        connect(format!("sslmode=verify-full&sslrootcert={own}")).await.unwrap();
        refused(format!("sslmode=verify-full&sslrootcert={foreign}"), "certificate").await;
        refused(format!("sslmode=verify-ca&sslrootcert={foreign}"), "certificate").await;
        // The roots of this system have not signed it.
        refused("sslmode=verify-full".to_owned(), "certificate").await;
        connect("sslmode=require".to_owned()).await.unwrap();
        connect("sslmode=prefer".to_owned()).await.unwrap();
        refused("sslmode=disable".to_owned(), "").await;
        refused("sslmode=verify-full&sslrootcert=/nowhere.pem".to_owned(), "/nowhere.pem").await;
    });
}

#[test]
fn another_name_is_refused_by_verify_full_and_taken_by_verify_ca() {
    let server = Postgres::start_tls().unwrap();
    let own = server.ca_path().unwrap();
    on_one_core(async {
        let url = server.url().replace("127.0.0.1", "db.example");
        let at = |mode: &str| {
            let own = own.display();
            let address = "hostaddr=127.0.0.1";
            PostgresOptions::at(format!("{url}?{address}&sslmode={mode}&sslrootcert={own}"))
        };
        let error = PostgresStore::connect(&at("verify-full"), clock()).await.unwrap_err();
        assert!(error.to_string().contains("db.example"), "{error}");
        let store = migrated(&at("verify-ca")).await;
        create(&store, "a").await.unwrap();
        assert!(store.get(&key("a")).await.unwrap().is_some());
        let probed = store.probe().await.unwrap();
        assert!(probed.facts.contains(&("tls", "true".to_owned())), "{:?}", probed.facts);
    });
}
