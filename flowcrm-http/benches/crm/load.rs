//! Load: clients that make one call after the other, each as soon as the one before it is answered.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::operations::Operation;
use crate::world::{Call, World};

/// A client at one of the doors.
pub(crate) trait Client: Send + 'static {
    /// Makes a call, whose answer must be a good one.
    fn perform(&mut self, call: &Call<'_>) -> impl Future<Output = ()> + Send;
}

/// How long each call took, in ascending order, and all of them together.
pub(crate) struct Timing {
    latencies: Vec<Duration>,
    elapsed: Duration,
}

impl Timing {
    pub(crate) fn per_second(&self) -> f64 {
        self.count() / self.elapsed.as_secs_f64()
    }

    pub(crate) fn count(&self) -> f64 {
        f64::from(u32::try_from(self.latencies.len()).unwrap_or(u32::MAX))
    }

    /// The latency in milliseconds that so many percent of the calls kept within.
    pub(crate) fn percentile(&self, percent: usize) -> f64 {
        let index = (self.latencies.len() * percent / 100).min(self.latencies.len() - 1);
        self.latencies[index].as_secs_f64() * 1_000.0
    }
}

/// Lets each client make calls for so long.
pub(crate) async fn run<C: Client>(
    clients: Vec<C>,
    world: Arc<World>,
    operation: Operation,
    length: Duration,
) -> Timing {
    let (count, begun) = (clients.len(), Instant::now());
    let work = |(number, mut client): (usize, C)| {
        let world = Arc::clone(&world);
        tokio::spawn(async move {
            let mut latencies = Vec::new();
            while begun.elapsed() < length || latencies.is_empty() {
                if let Some(before) = operation.before() {
                    client.perform(&world.call(before, number)).await;
                }
                let call = world.call(operation, number);
                let sent = Instant::now();
                client.perform(&call).await;
                latencies.push(sent.elapsed());
            }
            latencies
        })
    };
    let tasks: Vec<_> = clients.into_iter().enumerate().map(work).collect();
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await.expect("a client without a failure"));
    }
    let mut elapsed = begun.elapsed();
    if operation.before().is_some() {
        elapsed = latencies.iter().sum::<Duration>() / u32::try_from(count).expect("a few clients");
    }
    latencies.sort_unstable();
    Timing { latencies, elapsed }
}
