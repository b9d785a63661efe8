//! The connection to one table: every request goes through here, is tried again when that may help,
//! and is counted.

use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_config::BehaviorVersion;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{Credentials, Region};
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use outrigger_kernel::{Random, random};
use outrigger_ports::store::StoreError;

use crate::DynamoOptions;
use crate::error::Failure;
use crate::meter::Meter;
use crate::target::Target;
use outrigger_ports::turns::Turns;

/// Longest time to open a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(1_500);
/// The pause before the second try is at most this, and doubles with each.
const PAUSE: Duration = Duration::from_millis(10);
/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_millis(500);

/// A table, and how it is reached.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) client: Client,
    pub(crate) target: Target,
    pub(crate) meter: Meter,
    pub(crate) turns: Turns,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) patience: Duration,
}

impl Link {
    pub(crate) async fn new(
        options: &DynamoOptions,
        random: Arc<dyn Random>,
    ) -> Result<Self, StoreError> {
        let target = Target::parse(&options.url)?;
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT.min(options.patience / 2))
            // So that there is time for a second try.
            .operation_attempt_timeout(options.patience / 2)
            .build();
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(target.region.clone()))
            // Only this crate knows what may be tried again, and counts it.
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts);
        if let Some(endpoint) = &target.endpoint {
            loader = loader.endpoint_url(&endpoint.url);
        }
        if target.is_local() {
            let keys = Credentials::new("local", "local", None, None, "a server on this machine");
            loader = loader.credentials_provider(keys);
        }
        let client = Client::new(&loader.load().await);
        Ok(Self {
            client,
            target,
            meter: Meter::new(),
            turns: Turns::default(),
            random,
            patience: options.patience,
        })
    }

    /// The name of the table.
    pub(crate) fn table(&self) -> &str {
        &self.target.table
    }

    /// When a call that begins now must have ended.
    pub(crate) fn budget(&self) -> Budget {
        Budget { until: Instant::now() + self.patience, tries: 0 }
    }

    /// Waits before another try, longer each time; `false` when there is no time left for one.
    pub(crate) async fn pause(&self, budget: &mut Budget) -> bool {
        self.pause_up_to(PAUSE_MAX, budget).await
    }

    /// Waits a short time before another try of something that others were quicker at.
    pub(crate) async fn pause_briefly(&self, budget: &mut Budget) -> bool {
        self.pause_up_to(PAUSE, budget).await
    }

    async fn pause_up_to(&self, longest: Duration, budget: &mut Budget) -> bool {
        let most = PAUSE.saturating_mul(1 << budget.tries.min(8)).min(longest);
        budget.tries += 1;
        let micros = u64::try_from(most.as_micros()).unwrap_or(u64::MAX);
        let pause = Duration::from_micros(random::below(&*self.random, micros) + 1);
        if Instant::now() + pause >= budget.until {
            return false;
        }
        tokio::time::sleep(pause).await;
        true
    }

    /// Sends a request that may be done twice, until it is answered or the time is over.
    pub(crate) async fn ask<T, E, F>(&self, send: impl Fn() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, SdkError<E>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        self.until(&mut self.budget(), send).await.map_err(|failure| failure.into_error(false))
    }

    /// The same within the time of a larger call.
    pub(crate) async fn until<T, E, F>(
        &self,
        budget: &mut Budget,
        send: impl Fn() -> F,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, SdkError<E>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        self.until_with(Failure::of, budget, send).await
    }

    /// The same with another view of what a failed request means.
    pub(crate) async fn until_with<T, E, F>(
        &self,
        meaning: impl Fn(&SdkError<E>) -> Failure,
        budget: &mut Budget,
        send: impl Fn() -> F,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, SdkError<E>>>,
    {
        loop {
            let failure = match send().await {
                Ok(answer) => return Ok(answer),
                Err(error) => meaning(&error),
            };
            let Some(reason) = failure.reason() else { return Err(failure) };
            if !self.pause(budget).await {
                return Err(failure);
            }
            self.meter.retried(reason);
        }
    }
}

/// How long a call may still try.
#[derive(Debug)]
pub(crate) struct Budget {
    until: Instant,
    tries: u32,
}
