//! What every handler can reach.

use std::any::TypeId;
use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use outrigger_domain::Services;
use outrigger_domain::schema::Schema;
use schemars::JsonSchema;

use crate::docs::Rendered;
use crate::health::Health;
use crate::inspector::Inspector;
use crate::operation::Operation;
use crate::settings::Settings;
use crate::transfers::Transfers;

/// The state of the router, shared by reference.
pub type App = Arc<AppState>;

/// What every handler can reach. One per thread of the process.
#[derive(Debug)]
pub struct AppState {
    /// The domain.
    pub services: Services,
    /// Settings of the HTTP side.
    pub settings: Arc<Settings>,
    /// Whether the process is well, shared by its threads.
    pub health: Arc<Health>,
    /// Files that go up and down, of all threads of the process.
    pub transfers: Arc<Transfers>,
    /// What is known of the process where it was put together.
    pub inspector: Arc<dyn Inspector>,
    /// All operations, for the API document.
    pub(crate) operations: Arc<[Operation]>,
    /// The API document, as last made.
    pub(crate) rendered: tokio::sync::Mutex<Option<Rendered>>,
    schemas: RwLock<HashMap<TypeId, Arc<Schema>>>,
}

impl AppState {
    /// The state for one thread; `own` are operations beside the built-in ones.
    pub fn new(
        services: Services,
        settings: Arc<Settings>,
        health: Arc<Health>,
        transfers: Arc<Transfers>,
        inspector: Arc<dyn Inspector>,
        own: Vec<Operation>,
    ) -> App {
        let operations = crate::routes::exposed(&settings, own).into();
        let (schemas, rendered) = (RwLock::default(), tokio::sync::Mutex::default());
        Arc::new(Self {
            services,
            settings,
            health,
            transfers,
            inspector,
            operations,
            rendered,
            schemas,
        })
    }

    /// The compiled schema of a body type; compiled once.
    pub(crate) fn schema_of<T: JsonSchema + 'static>(&self) -> Arc<Schema> {
        let id = TypeId::of::<T>();
        if let Some(schema) = read(&self.schemas).get(&id) {
            return schema.clone();
        }
        let schema = schemars::schema_for!(T).to_value();
        let schema = Arc::new(Schema::compile(&schema).expect("a derived schema compiles"));
        self.schemas
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .insert(id, schema.clone());
        schema
    }
}

fn read<T>(lock: &RwLock<T>) -> std::sync::RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(std::sync::PoisonError::into_inner)
}
