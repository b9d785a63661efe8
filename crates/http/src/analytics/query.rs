//! `GET /api/v1/analytics/query`

use axum::Json;
use axum::extract::{FromRequestParts, State};
use http::request::Parts;
use outrigger_domain::analytics::{Answer, Interval, Question};
use outrigger_kernel::{Error, Result};
use serde_json::json;

use crate::access::Administrator;
use crate::operation::{Access, Doc};
use crate::page::parameters;
use crate::problem::{HttpResult, Problem};
use crate::state::App;

pub(crate) fn doc() -> Doc {
    let text = || json!({"type": "string"});
    Doc::new("analytics.query", "Count events")
        .describe(
            "By the hours or days of a time zone, at most 800 of them. `counted_until` says up to when \
             every acknowledged event is counted: usually a second or two ago. `(other)` is the name of \
             events that came under more than 1,000 names in a day.",
        )
        .access(Access::Admin)
        .required("event", text(), "the name of the events")
        .query(
            "interval",
            json!({"type": "string", "enum": ["hour", "day"], "default": "day"}),
            "what is counted together",
        )
        .query("group_by", text(), "a property, by whose values they are counted apart")
        .query("time_zone", text(), "such as Asia/Manila; that of the account unless said, or UTC")
        .query(
            "from",
            text(),
            "from the interval in which this lies: RFC 3339, or a date of the zone; 24 hours or 30 days \
             before `to` unless said",
        )
        .query("to", text(), "up to here, to the end of the interval; now unless said")
        .answers::<Answer>(200, "the counts")
        .problem(422)
}

impl FromRequestParts<App> for Asked {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        Ok(Self(question(parts.uri.query())?))
    }
}

/// The parameters.
pub(crate) struct Asked(Question);

fn question(query: Option<&str>) -> Result<Question> {
    let mut question = Question {
        event: String::new(),
        interval: Interval::Day,
        group_by: None,
        time_zone: None,
        from: None,
        to: None,
    };
    let mut event = None;
    for (name, value) in parameters(query)? {
        match name.as_ref() {
            "event" => event = Some(value.into_owned()),
            "interval" => question.interval = interval(&value)?,
            "group_by" => question.group_by = Some(value.into_owned()),
            "time_zone" => question.time_zone = Some(value.into_owned()),
            "from" => question.from = Some(value.into_owned()),
            "to" => question.to = Some(value.into_owned()),
            other => {
                let message = "a query takes event, interval, group_by, time_zone, from and to";
                return Err(Error::invalid(&["query", other], "unknown_parameter", message));
            }
        }
    }
    let missing = || Error::invalid(&["query", "event"], "required", "this parameter is required");
    Ok(Question { event: event.ok_or_else(missing)?, ..question })
}

fn interval(text: &str) -> Result<Interval> {
    match text {
        "hour" => Ok(Interval::Hour),
        "day" => Ok(Interval::Day),
        _ => Err(Error::invalid(&["query", "interval"], "enum", "an interval is hour or day")),
    }
}

pub(crate) async fn handle(
    Administrator(ctx): Administrator,
    State(app): State<App>,
    Asked(mut question): Asked,
) -> HttpResult<Json<Answer>> {
    if question.time_zone.is_none() {
        question.time_zone = app.services.accounts.me(&ctx).await?.time_zone;
    }
    Ok(Json(app.services.analytics.query(&ctx, question).await?))
}
