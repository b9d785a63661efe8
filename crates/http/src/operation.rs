//! One operation of the API: its route, its handler and its note in the API document, together.

use axum::handler::Handler;
use axum::routing::{MethodFilter, MethodRouter, on};
use http::Method;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::Value;

use crate::state::App;

/// Who may call an operation. Written into the API document as `x-outrigger-access`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Public,
    /// A user with a live session.
    User,
    /// A user with the role admin.
    Admin,
    /// A user with the role worker, or an administrator.
    Worker,
    /// What the rules of the collection say.
    Rules,
}

impl Access {
    /// The word in the API document.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::User => "user",
            Self::Admin => "admin",
            Self::Worker => "worker",
            Self::Rules => "rules",
        }
    }
}

type SchemaFn = fn(&mut SchemaGenerator) -> Value;

/// A parameter in the query or a header.
#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) place: &'static str,
    pub(crate) schema: Value,
    pub(crate) description: &'static str,
    pub(crate) required: bool,
}

/// What the API document says of an operation.
#[derive(Clone, Debug)]
pub struct Doc {
    pub(crate) id: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) description: &'static str,
    pub(crate) access: Access,
    pub(crate) body: Option<(&'static str, SchemaFn)>,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) answers: Vec<(u16, &'static str, Option<SchemaFn>)>,
    /// The media type of a successful answer that is not JSON.
    pub(crate) media_type: Option<&'static str>,
    pub(crate) problems: Vec<u16>,
}

impl Doc {
    /// A note. `id` is `resource.verb`; the part before the dot names the service.
    pub fn new(id: &'static str, summary: &'static str) -> Self {
        Self {
            id,
            summary,
            description: "",
            access: Access::Public,
            body: None,
            parameters: Vec::new(),
            answers: Vec::new(),
            media_type: None,
            problems: Vec::new(),
        }
    }

    /// More words than the summary.
    #[must_use]
    pub fn describe(mut self, text: &'static str) -> Self {
        self.description = text;
        self
    }

    /// Who may call it.
    #[must_use]
    pub fn access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// The JSON body that it takes.
    #[must_use]
    pub fn body<T: JsonSchema>(self) -> Self {
        self.body_as::<T>("application/json")
    }

    /// The body that it takes, in another media type.
    #[must_use]
    pub fn body_as<T: JsonSchema>(mut self, media_type: &'static str) -> Self {
        self.body = Some((media_type, schema::<T>));
        self
    }

    /// A parameter in the query.
    #[must_use]
    pub fn query(self, name: &'static str, schema: Value, description: &'static str) -> Self {
        self.parameter("query", name, schema, description)
    }

    /// The same, without which it refuses.
    #[must_use]
    pub fn required(self, name: &'static str, schema: Value, description: &'static str) -> Self {
        let mut doc = self.query(name, schema, description);
        doc.parameters
            .iter_mut()
            .filter(|known| known.name == name)
            .for_each(|p| p.required = true);
        doc
    }

    /// A header that it understands.
    #[must_use]
    pub fn header(self, name: &'static str, description: &'static str) -> Self {
        self.parameter("header", name, serde_json::json!({"type": "string"}), description)
    }

    fn parameter(
        mut self,
        place: &'static str,
        name: &'static str,
        schema: Value,
        description: &'static str,
    ) -> Self {
        self.parameters.push(Parameter { name, place, schema, description, required: false });
        self
    }

    /// `limit` and `cursor`.
    #[must_use]
    pub fn paged(self) -> Self {
        use outrigger_kernel::limits::{PAGE_DEFAULT, PAGE_MAX};
        let limit = serde_json::json!({
            "type": "integer", "minimum": 1, "maximum": PAGE_MAX, "default": PAGE_DEFAULT,
        });
        self.query("limit", limit, "most items on the page").query(
            "cursor",
            serde_json::json!({"type": "string"}),
            "where the page before ended: its next_cursor",
        )
    }

    /// A successful answer with a JSON body.
    #[must_use]
    pub fn answers<T: JsonSchema>(mut self, status: u16, description: &'static str) -> Self {
        self.answers.push((status, description, Some(schema::<T>)));
        self
    }

    /// A successful answer without a body.
    #[must_use]
    pub fn answers_empty(mut self, status: u16, description: &'static str) -> Self {
        self.answers.push((status, description, None));
        self
    }

    /// A successful answer with a body that is not JSON.
    #[must_use]
    pub fn answers_as(mut self, status: u16, media: &'static str, what: &'static str) -> Self {
        self.media_type = Some(media);
        self.answers_empty(status, what)
    }

    /// A status that is an error, beyond those that follow from access, body and path.
    #[must_use]
    pub fn problem(mut self, status: u16) -> Self {
        self.problems.push(status);
        self
    }
}

fn schema<T: JsonSchema>(generator: &mut SchemaGenerator) -> Value {
    generator.subschema_for::<T>().to_value()
}

/// One operation of the API.
#[derive(Clone, Debug)]
pub struct Operation {
    /// The method.
    pub method: Method,
    /// The path, with `{name}` for its parameters.
    pub path: &'static str,
    /// The note.
    pub doc: Doc,
    pub(crate) route: MethodRouter<App>,
}

impl Operation {
    /// The service that the operation belongs to: its tag in the API document.
    pub fn service(&self) -> &'static str {
        self.doc.id.split('.').next().unwrap_or("")
    }
}

macro_rules! methods {
    ($($name:ident, $filter:ident);+ $(;)?) => { $(
        #[doc = concat!("The operation `", stringify!($filter), " path`.")]
        pub fn $name<H, T>(path: &'static str, handler: H, doc: Doc) -> Operation
        where
            H: Handler<T, App>,
            T: 'static,
        {
            let route = on(MethodFilter::$filter, handler);
            Operation { method: Method::$filter, path, doc, route }
        }
    )+ };
}

methods! { get, GET; post, POST; put, PUT; patch, PATCH; delete, DELETE }
