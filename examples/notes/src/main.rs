//! A backend with routes and a job of its own: notes whose words are counted in the background.
//!
//! `cargo run -p notes -- serve`, then sign in, `PUT /api/v1/notes/first` and
//! `GET /api/v1/notes/count`.

mod count_words;

use outrigger::records::{BatchInput, BatchOperation, BatchResult, ListRequest};
use outrigger::tasks::New;
use outrigger::{
    Access, App, Body, Ctx, Doc, HttpResult, Json, JsonSchema, Operation, Outrigger, Path,
    SignedIn, State, get, put,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use self::count_words::CountWords;

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

/// A note.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Note {
    /// What it says.
    text: String,
}

/// The note and the task that counts its words: both or neither.
async fn write(
    SignedIn(ctx): SignedIn,
    State(app): State<App>,
    Path(id): Path<String>,
    Body(note): Body<Note>,
) -> HttpResult<Json<BatchResult>> {
    let task = app.services.tasks.task_of(&ctx, &New::now(CountWords { note: id.clone() }))?;
    let put = BatchOperation::Put {
        collection: "notes".to_owned(),
        id: Some(id),
        data: json!({"text": note.text}),
        if_version: None,
    };
    let input = BatchInput { operations: vec![put], tasks: Vec::new() };
    Ok(Json(app.services.records.batch_with(&ctx, &input, vec![task], None).await?))
}

fn routes() -> [Operation; 2] {
    let count_doc = Doc::new("notes.count", "Count one's notes")
        .access(Access::User)
        .answers::<Count>(200, "the count")
        .problem(404);
    let write_doc =
        Doc::new("notes.write", "Write a note; its words are counted in the background")
            .access(Access::User)
            .body::<Note>()
            .answers::<BatchResult>(200, "the note's version, and the task that counts its words")
            .problem(404)
            .problem(409);
    [get("/api/v1/notes/count", count, count_doc), put("/api/v1/notes/{id}", write, write_doc)]
}

fn main() -> std::process::ExitCode {
    Outrigger::new().routes(routes()).job::<CountWords>().run()
}
