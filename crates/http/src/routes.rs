//! The whole API on one page.

use axum::Router;
use axum::routing::{get as route_get, post as route_post};

use crate::operation::{Operation, delete, get, patch, post, put};
use crate::settings::Settings;
use crate::state::App;
use crate::{
    analytics, audit, auth, batch, collections, console, docs, files, health, notifications,
    queues, records, replicas, schedules, system, tasks, users, well_known,
};

/// Every documented operation.
fn operations() -> Vec<Operation> {
    [of_accounts(), of_data(), of_work()].concat()
}

#[rustfmt::skip]
fn of_accounts() -> Vec<Operation> {
    vec![
        post("/api/v1/auth/register", auth::register::handle, auth::register::doc()),
        post("/api/v1/auth/login", auth::login::handle, auth::login::doc()),
        post("/api/v1/auth/token", auth::token::handle, auth::token::doc()),
        post("/api/v1/auth/refresh", auth::refresh::handle, auth::refresh::doc()),
        post("/api/v1/auth/logout", auth::logout::handle, auth::logout::doc()),
        post("/api/v1/auth/change-password", auth::change_password::handle, auth::change_password::doc()),
        post("/api/v1/auth/forgot-password", auth::forgot_password::handle, auth::forgot_password::doc()),
        post("/api/v1/auth/reset-password", auth::reset_password::handle, auth::reset_password::doc()),
        post("/api/v1/auth/verify-email", auth::verify_email::handle, auth::verify_email::doc()),
        post("/api/v1/auth/verify-email/resend", auth::resend_verification::handle, auth::resend_verification::doc()),
        get("/api/v1/auth/sessions", auth::sessions::list::handle, auth::sessions::list::doc()),
        delete("/api/v1/auth/sessions", auth::sessions::revoke_all::handle, auth::sessions::revoke_all::doc()),
        delete("/api/v1/auth/sessions/{id}", auth::sessions::revoke::handle, auth::sessions::revoke::doc()),

        get("/api/v1/users/me", users::me::get::handle, users::me::get::doc()),
        patch("/api/v1/users/me", users::me::update::handle, users::me::update::doc()),
        delete("/api/v1/users/me", users::me::delete::handle, users::me::delete::doc()),
        get("/api/v1/users", users::list::handle, users::list::doc()),
        get("/api/v1/users/{id}", users::get::handle, users::get::doc()),
        patch("/api/v1/users/{id}", users::update::handle, users::update::doc()),
        delete("/api/v1/users/{id}", users::delete::handle, users::delete::doc()),
        get("/api/v1/users/{id}/sessions", users::sessions::list::handle, users::sessions::list::doc()),
        delete("/api/v1/users/{id}/sessions", users::sessions::revoke_all::handle, users::sessions::revoke_all::doc()),
        delete("/api/v1/users/{id}/sessions/{session}", users::sessions::revoke::handle, users::sessions::revoke::doc()),
    ]
}

#[rustfmt::skip]
fn of_data() -> Vec<Operation> {
    vec![
        get("/api/v1/collections", collections::list::handle, collections::list::doc()),
        put("/api/v1/collections/{name}", collections::put::handle, collections::put::doc()),
        get("/api/v1/collections/{name}", collections::get::handle, collections::get::doc()),
        delete("/api/v1/collections/{name}", collections::delete::handle, collections::delete::doc()),

        post("/api/v1/records/{collection}", records::create::handle, records::create::doc()),
        get("/api/v1/records/{collection}", records::list::handle, records::list::doc()),
        get("/api/v1/records/{collection}/{id}", records::read::handle, records::read::doc()),
        put("/api/v1/records/{collection}/{id}", records::replace::handle, records::replace::doc()),
        patch("/api/v1/records/{collection}/{id}", records::patch::handle, records::patch::doc()),
        delete("/api/v1/records/{collection}/{id}", records::delete::handle, records::delete::doc()),
        post("/api/v1/batch", batch::handle, batch::doc()),

        post("/api/v1/files", files::create::handle, files::create::doc()),
        get("/api/v1/files", files::list::handle, files::list::doc()),
        get("/api/v1/files/{id}", files::get::handle, files::get::doc()),
        get("/api/v1/files/{id}/content", files::content::handle, files::content::doc()),
        delete("/api/v1/files/{id}", files::delete::handle, files::delete::doc()),
        post("/api/v1/files/uploads", files::uploads::create::handle, files::uploads::create::doc()),
        post("/api/v1/files/uploads/{id}/complete", files::uploads::complete::handle, files::uploads::complete::doc()),
    ]
}

#[rustfmt::skip]
fn of_work() -> Vec<Operation> {
    vec![
        post("/api/v1/tasks", tasks::create::handle, tasks::create::doc()),
        get("/api/v1/tasks", tasks::list::handle, tasks::list::doc()),
        post("/api/v1/tasks/retry", tasks::retry_many::handle, tasks::retry_many::doc()),
        get("/api/v1/tasks/{id}", tasks::get::handle, tasks::get::doc()),
        post("/api/v1/tasks/{id}/cancel", tasks::cancel::handle, tasks::cancel::doc()),
        post("/api/v1/tasks/{id}/retry", tasks::retry::handle, tasks::retry::doc()),
        get("/api/v1/tasks/{id}/events", tasks::events::handle, tasks::events::doc()),
        post("/api/v1/tasks/{id}/heartbeat", tasks::heartbeat::handle, tasks::heartbeat::doc()),
        post("/api/v1/tasks/{id}/complete", tasks::complete::handle, tasks::complete::doc()),
        post("/api/v1/tasks/{id}/fail", tasks::fail::handle, tasks::fail::doc()),

        post("/api/v1/notifications", notifications::create::handle, notifications::create::doc()),
        get("/api/v1/notifications", notifications::list::handle, notifications::list::doc()),
        get("/api/v1/notifications/messages", notifications::messages::handle, notifications::messages::doc()),
        post("/api/v1/notifications/preview", notifications::preview::handle, notifications::preview::doc()),
        patch("/api/v1/notifications/{id}", notifications::update::handle, notifications::update::doc()),
        get("/api/v1/notifications/preferences", notifications::preferences::get::handle, notifications::preferences::get::doc()),
        put("/api/v1/notifications/preferences", notifications::preferences::put::handle, notifications::preferences::put::doc()),

        get("/api/v1/queues", queues::list::handle, queues::list::doc()),
        post("/api/v1/queues/{queue}/pause", queues::pause::handle, queues::pause::doc()),
        post("/api/v1/queues/{queue}/resume", queues::resume::handle, queues::resume::doc()),
        post("/api/v1/queues/{queue}/lease", queues::lease::handle, queues::lease::doc()),

        get("/api/v1/schedules", schedules::list::handle, schedules::list::doc()),
        put("/api/v1/schedules/{name}", schedules::put::handle, schedules::put::doc()),
        get("/api/v1/schedules/{name}", schedules::get::handle, schedules::get::doc()),
        delete("/api/v1/schedules/{name}", schedules::delete::handle, schedules::delete::doc()),
        post("/api/v1/schedules/{name}/run", schedules::run::handle, schedules::run::doc()),

        get("/api/v1/replicas", replicas::list::handle, replicas::list::doc()),
        get("/api/v1/replicas/overview", replicas::overview::handle, replicas::overview::doc()),
        post("/api/v1/analytics/events", analytics::ingest::handle, analytics::ingest::doc()),
        get("/api/v1/analytics/events", analytics::list::handle, analytics::list::doc()),
        get("/api/v1/analytics/query", analytics::query::handle, analytics::query::doc()),

        get("/api/v1/audit", audit::list::handle, audit::list::doc()),
        get("/api/v1/system/settings", system::settings::handle, system::settings::doc()),
        post("/api/v1/system/doctor", system::doctor::handle, system::doctor::doc()),
    ]
}

/// The operations of the exposed services, then those of the library's user.
pub fn exposed(settings: &Settings, own: Vec<Operation>) -> Vec<Operation> {
    let built_in = operations().into_iter();
    built_in.filter(|operation| settings.exposes(operation.service())).chain(own).collect()
}

/// The router: the operations, and what stands outside of the API document.
pub(crate) fn router(app: &App) -> Router {
    let mut router = Router::new()
        .route("/health", route_get(health::traffic))
        .route("/health/live", route_get(health::live))
        .route("/health/ready", route_get(health::ready))
        .route("/api/health/", route_get(health::report))
        .route("/.well-known/jwks.json", route_get(well_known::jwks))
        .route("/.well-known/openid-configuration", route_get(well_known::openid_configuration));
    if app.settings.exposes("auth") {
        router = router.merge(account_pages());
    }
    if app.settings.exposes("notifications") {
        let unsubscribe = route_get(notifications::unsubscribe::page);
        let unsubscribe = unsubscribe.post(notifications::unsubscribe::submit);
        router = router.route("/unsubscribe", unsubscribe);
    }
    if app.settings.docs {
        router = router
            .route("/docs", route_get(docs::swagger))
            .route("/redoc", route_get(docs::redoc))
            .route("/openapi.json", route_get(docs::openapi));
    }
    if app.settings.console {
        router = router.merge(console_pages());
    }
    for operation in app.operations.iter() {
        router = router.route(operation.path, operation.route.clone());
    }
    router.with_state(app.clone())
}

/// The pages behind one-time links.
fn account_pages() -> Router<App> {
    use auth::{link_pages, setup};
    Router::new()
        .route("/setup", route_get(setup::page).post(setup::submit))
        .route("/verify-email", route_get(link_pages::verify).post(link_pages::submit_verify))
        .route("/reset-password", route_get(link_pages::reset).post(link_pages::submit_reset))
}

/// The console, which uses the operations above.
fn console_pages() -> Router<App> {
    use console::{assets, session, sign_in};
    Router::new()
        .route("/console", route_get(assets::page))
        .route("/console/", route_get(assets::page))
        .route("/console/{*place}", route_get(assets::place))
        .route("/console/assets/{version}/{*file}", route_get(assets::file))
        .route("/console/session", route_get(session::show).post(sign_in::handle))
        .route("/console/session/renew", route_post(session::renew))
        .route("/console/session/end", route_post(session::end))
}
