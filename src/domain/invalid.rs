//! Why a value was refused: a stable code for programs, a sentence for people.

/// One reason why one field was refused. The codes are the field codes of the HTTP API and never change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Invalid {
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl Invalid {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    pub(crate) fn required() -> Self {
        Self::new("required", "This field is required.")
    }

    pub(crate) fn blank() -> Self {
        Self::new("blank", "This field may not be blank.")
    }

    pub(crate) fn too_long(max: usize) -> Self {
        Self::new("max_length", format!("Ensure this field has no more than {max} characters."))
    }
}
