//! A backend with a route of its own: how many notes somebody has.
//!
//! `cargo run -p notes -- serve`, then sign in and `GET /api/v1/notes/count`.

use outrigger::records::ListRequest;
use outrigger::{
    Access, App, Ctx, Doc, HttpResult, Json, JsonSchema, Operation, Outrigger, SignedIn, State, get,
};
use serde::Serialize;

/// How many notes the caller has.
#[derive(Serialize, JsonSchema)]
struct Count {
    /// The number of notes, counted up to 100.
    notes: usize,
}

async fn count(SignedIn(ctx): SignedIn, State(app): State<App>) -> HttpResult<Json<Count>> {
    Ok(Json(Count { notes: notes_of(&app, &ctx).await? }))
}

/// The same service that the built-in routes use: its rules hold here too.
async fn notes_of(app: &App, ctx: &Ctx) -> outrigger::Result<usize> {
    let hundred = ListRequest::parse([("limit".into(), "100".into())].into_iter())?;
    Ok(app.services.records.list(ctx, "notes", &hundred).await?.items.len())
}

fn routes() -> [Operation; 1] {
    let doc = Doc::new("notes.count", "Count one's notes")
        .access(Access::User)
        .answers::<Count>(200, "the count")
        .problem(404);
    [get("/api/v1/notes/count", count, doc)]
}

fn main() -> std::process::ExitCode {
    Outrigger::new().routes(routes()).run()
}
