//! Medians, and how sure their difference is.

const BOOTSTRAPS: usize = 2000;

/// Random numbers that are the same in every run (xorshift64*).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32;
        usize::try_from(number).expect("32 bits") % end
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            items.swap(end, self.below(end + 1));
        }
    }

    fn resample(&mut self, values: &[f64]) -> Vec<f64> {
        (0..values.len()).map(|_| values[self.below(values.len())]).collect()
    }
}

pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// Between which bounds the difference of the medians lies, with 95% confidence.
pub(crate) fn difference(own: &[f64], other: &[f64], dice: &mut Dice) -> (f64, f64) {
    let mut differences: Vec<f64> =
        (0..BOOTSTRAPS).map(|_| median(&dice.resample(own)) - median(&dice.resample(other))).collect();
    differences.sort_by(f64::total_cmp);
    (differences[BOOTSTRAPS / 40], differences[BOOTSTRAPS - BOOTSTRAPS / 40])
}
