use std::io::{self, BufRead, IsTerminal};

use console::Term;

/// Asks for a new password: twice and unseen on a terminal, as the first line of standard input elsewhere.
pub(crate) fn ask_for_new_password() -> io::Result<String> {
    if !io::stdin().is_terminal() {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line)?;
        return Ok(line.trim_end_matches(['\r', '\n']).to_owned());
    }
    let terminal = Term::stderr();
    let ask = |prompt: &str| {
        terminal.write_str(prompt)?;
        terminal.read_secure_line()
    };
    let password = ask("New password: ")?;
    if ask("Once more: ")? == password {
        Ok(password)
    } else {
        Err(io::Error::other("the two passwords are not the same"))
    }
}
