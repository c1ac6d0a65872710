//! A colour, and how well it can be read.

/// Red, green and blue of sRGB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Colour([u8; 3]);

impl Colour {
    pub(crate) const WHITE: Self = Self([255; 3]);
    pub(crate) const BLACK: Self = Self([0; 3]);

    /// Takes `#1f5fbf`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
        let digit = |at: usize| digits.as_bytes().get(at).and_then(|byte| char::from(*byte).to_digit(16));
        let byte = |at: usize| u8::try_from(digit(at)? * 16 + digit(at + 1)?).ok();
        Some(Self([byte(0)?, byte(2)?, byte(4)?]))
    }

    /// The contrast of two colours, from 1 to 21 (WCAG 2.2, "contrast ratio").
    pub(crate) fn contrast(self, other: Self) -> f32 {
        let (one, two) = (self.luminance() + 0.05, other.luminance() + 0.05);
        if one > two { one / two } else { two / one }
    }

    /// The one of black and white that is read better on this.
    pub(crate) fn ink(self) -> Self {
        if self.contrast(Self::WHITE) >= self.contrast(Self::BLACK) { Self::WHITE } else { Self::BLACK }
    }

    /// The nearest to this that has at least this contrast to `paper`: darker or lighter, whichever leads away from it.
    pub(crate) fn readable_on(self, paper: Self, contrast: f32) -> Self {
        let away = paper.ink();
        let steps = (0..=STEPS).map(|step| self.towards(away, step));
        steps.into_iter().find(|colour| colour.contrast(paper) >= contrast).unwrap_or(away)
    }

    fn towards(self, other: Self, step: u16) -> Self {
        let mix = |own: u8, other: u8| {
            let mixed = (u16::from(own) * (STEPS - step) + u16::from(other) * step) / STEPS;
            u8::try_from(mixed).unwrap_or(u8::MAX)
        };
        let (Self([red, green, blue]), Self([other_red, other_green, other_blue])) = (self, other);
        Self([mix(red, other_red), mix(green, other_green), mix(blue, other_blue)])
    }

    fn luminance(self) -> f32 {
        let [red, green, blue] = self.0.map(|part| {
            let part = f32::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
}

const STEPS: u16 = 20;

impl std::fmt::Display for Colour {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn colour(text: &str) -> Colour {
        Colour::parse(text).expect("a colour")
    }

    #[test]
    fn a_colour_is_six_digits() {
        assert_eq!(colour("#1F5fbf").to_string(), "#1f5fbf");
        for text in ["", "#", "1f5fbf", "#1f5fb", "#1f5fbf0", "#1f5fbg", "red", "#éé", "#+1+1+1", "#fff"] {
            assert_eq!(Colour::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn contrast_is_what_the_guidelines_say() {
        assert!((Colour::WHITE.contrast(Colour::BLACK) - 21.0).abs() < 0.01);
        assert!((colour("#777777").contrast(Colour::WHITE) - 4.48).abs() < 0.01);
        assert_eq!(colour("#1f5fbf").ink(), Colour::WHITE);
        assert_eq!(colour("#ffdd00").ink(), Colour::BLACK);
    }

    #[test]
    fn any_colour_becomes_readable_on_any_paper() {
        for accent in ["#000000", "#ffffff", "#1f5fbf", "#ffdd00", "#ff0000", "#777777"] {
            for paper in ["#ffffff", "#1d2125", "#14171a", "#f6f7f9"] {
                let (accent, paper) = (colour(accent), colour(paper));
                let readable = accent.readable_on(paper, 4.5);
                assert!(readable.contrast(paper) >= 4.5, "{accent} {paper} {readable}");
            }
        }
        assert_eq!(colour("#1f5fbf").readable_on(Colour::WHITE, 4.5), colour("#1f5fbf"), "good as it is");
    }
}
