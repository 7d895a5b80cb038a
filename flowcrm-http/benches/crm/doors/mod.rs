//! The doors through which FlowCRM is measured.

pub(crate) mod http;
pub(crate) mod rust;
mod wire;

use std::time::{Duration, Instant};

use crate::load::{self, Client};
use crate::machine;
use crate::operations::Operation;
use crate::report::Measured;
use crate::world::World;
use std::sync::Arc;

/// The most leads that one file has, and the most that an export is measured on.
pub(crate) const ROWS_PER_FILE: usize = 100_000;
pub(crate) const ROWS_EXPORTED: u64 = 200_000;

/// Measures one operation, after a short while of warming up; `process` is who does the work.
async fn measure<C: Client>(
    clients: impl AsyncFn() -> Vec<C>,
    world: &Arc<World>,
    operation: Operation,
    length: Duration,
    process: u32,
) -> Measured {
    load::run(clients().await, Arc::clone(world), operation, length / 8).await;
    let clients = clients().await;
    let before = machine::processor_time(process);
    let timing = load::run(clients, Arc::clone(world), operation, length).await;
    let used =
        machine::processor_time(process).zip(before).map(|(after, before)| after.saturating_sub(before));
    let cpu = used.filter(|_| operation.before().is_none());
    Measured {
        value: timing.per_second(),
        p50_millis: Some(timing.percentile(50)),
        p99_millis: Some(timing.percentile(99)),
        cpu_millis: cpu.map(|used| used.as_secs_f64() * 1_000.0 / timing.count()),
    }
}

/// Rows per second, with the processor time of a thousand rows.
struct RowsMeasured {
    begun: Instant,
    process: u32,
    used_before: Option<Duration>,
}

impl RowsMeasured {
    fn begin(process: u32) -> Self {
        Self { begun: Instant::now(), process, used_before: machine::processor_time(process) }
    }

    #[expect(clippy::cast_precision_loss, reason = "there are fewer rows than a float can count")]
    fn end(self, rows: u64) -> Measured {
        let seconds = self.begun.elapsed().as_secs_f64();
        let used = machine::processor_time(self.process).zip(self.used_before);
        let used = used.map(|(after, before)| after.saturating_sub(before));
        Measured {
            cpu_millis: used.map(|used| used.as_secs_f64() * 1_000.0 / rows as f64),
            ..Measured::of(rows as f64 / seconds)
        }
    }
}
