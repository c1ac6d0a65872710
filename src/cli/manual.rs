//! `keystead completions` and `keystead man`: what the declaration of the commands says, in other forms.
//!
//! Must never: need a configuration or a store.

use clap::{Args, Command, ValueEnum};
use clap_complete::Shell;
use clap_mangen::Man;

use crate::cli::outcome::{Outcome, Refusal};

#[derive(Debug, Args)]
#[command(after_help = "bash: keystead completions bash > /etc/bash_completion.d/keystead\n\
    zsh: keystead completions zsh > a folder of $fpath/_keystead\n\
    fish: keystead completions fish > ~/.config/fish/completions/keystead.fish")]
pub(super) struct Completions {
    /// For which shell
    #[arg(value_name = "SHELL")]
    shell: KnownShell,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum KnownShell {
    Bash,
    Zsh,
    Fish,
}

#[derive(Debug, Args)]
#[command(after_help = "To read it at once: keystead man | man -l -")]
pub(super) struct Manual {
    /// The page of one command, instead of the one that lists them all
    #[arg(value_name = "COMMAND")]
    command: Option<String>,
}

impl Completions {
    pub(super) fn run(&self, mut declaration: Command) -> Outcome {
        let shell = match self.shell {
            KnownShell::Bash => Shell::Bash,
            KnownShell::Zsh => Shell::Zsh,
            KnownShell::Fish => Shell::Fish,
        };
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut declaration, "keystead", &mut script);
        Outcome::saying(String::from_utf8_lossy(&script))
    }
}

impl Manual {
    pub(super) fn run(&self, mut declaration: Command) -> Result<Outcome, Refusal> {
        declaration.build();
        let described = match self.command.as_deref() {
            None => declaration,
            Some(name) => {
                let found = declaration.find_subcommand(name);
                found
                    .cloned()
                    .ok_or_else(|| Refusal::new(format!("no command {name}: see keystead --help")))?
            }
        };
        let mut page = Vec::new();
        Man::new(described).render(&mut page).map_err(|error| Refusal::new(error.to_string()))?;
        Ok(Outcome::saying(String::from_utf8_lossy(&page)))
    }
}
