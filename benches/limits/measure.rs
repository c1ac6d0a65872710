//! Rounds, medians, and the table.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

/// One line of the table.
pub(crate) struct Figure {
    pub(crate) what: &'static str,
    pub(crate) ours: String,
    pub(crate) limit: String,
    /// The ratio of each round, if there is something to compare with.
    pub(crate) ratio: Option<Spread>,
    pub(crate) aim: &'static str,
}

/// The middle of what was measured, and its ends.
#[derive(Clone, Copy)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Spread {
    pub(crate) fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        Self { median: values[values.len() / 2], min: values[0], max: values[values.len() - 1] }
    }
}

/// Rates of the same kind, ours and the limit's.
pub(crate) struct Compared {
    pub(crate) ours: Spread,
    pub(crate) limit: Spread,
    pub(crate) ratio: Spread,
}

impl Compared {
    pub(crate) fn figure(&self, what: &'static str, unit: &str, aim: &'static str) -> Figure {
        let rate = |spread: Spread| format!("{:.0} {unit}", spread.median);
        Figure { what, ours: rate(self.ours), limit: rate(self.limit), ratio: Some(self.ratio), aim }
    }
}

/// Measures both in turns, the one that goes first changing, after a round that does not count.
pub(crate) fn compare<const N: usize>(
    rounds: usize,
    mut ours: impl FnMut() -> [f64; N],
    mut limit: impl FnMut() -> [f64; N],
) -> [Compared; N] {
    ours();
    limit();
    let mut pairs = Vec::new();
    for round in 0..rounds {
        pairs.push(if round % 2 == 0 {
            let first = ours();
            (first, limit())
        } else {
            let first = limit();
            (ours(), first)
        });
    }
    std::array::from_fn(|at| Compared {
        ours: Spread::of(pairs.iter().map(|(ours, _)| ours[at]).collect()),
        limit: Spread::of(pairs.iter().map(|(_, limit)| limit[at]).collect()),
        ratio: Spread::of(pairs.iter().map(|(ours, limit)| ours[at] / limit[at]).collect()),
    })
}

pub(crate) fn rate(count: usize, took: Duration) -> f64 {
    f64::from(u32::try_from(count).expect("few")) / took.as_secs_f64()
}

/// The processor time that the threads with such names have had since they began.
pub(crate) fn cpu_of_threads(is_counted: impl Fn(&str) -> bool) -> Duration {
    let tasks = fs::read_dir("/proc/self/task").expect("Linux");
    let paths = tasks.map(|task| task.expect("readable").path());
    // A thread that ends meanwhile has no name.
    let name = |path: &Path| fs::read_to_string(path.join("comm")).unwrap_or_default();
    paths.filter(|path| is_counted(name(path).trim_end())).map(|path| cpu_of(&path)).sum()
}

pub(crate) fn cpu_of_this_thread() -> Duration {
    cpu_of(Path::new("/proc/thread-self"))
}

fn cpu_of(task: &Path) -> Duration {
    let spent = fs::read_to_string(task.join("schedstat")).unwrap_or_default();
    let nanos = spent.split(' ').next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}

/// The figures as a Markdown table.
pub(crate) fn table(figures: &[Figure]) -> String {
    let mut table = String::from("| what | ours | limit | ratio (min..max) | aim |\n|---|---|---|---|---|\n");
    for Figure { what, ours, limit, ratio, aim } in figures {
        let ratio = ratio
            .map_or(String::new(), |Spread { median, min, max }| format!("{median:.2} ({min:.2}..{max:.2})"));
        writeln!(table, "| {what} | {ours} | {limit} | {ratio} | {aim} |").expect("a string takes all");
    }
    table
}
