//! The wallet against a node.
//!
//! | module | shows |
//! |---|---|
//! | `accounts` | keys come, go and come back; secrets are printed where asked for, and nowhere else |
//! | `payments` | balance, send, history |
//! | `messages` | signatures that the node, its contracts and the wallet agree on |
//! | `refusals` | what goes wrong, and what the wallet says about it |

mod accounts;
mod messages;
mod payments;
mod refusals;
