//! For who trusts nobody: the trusted computing base, what an image holds, the plan as a shell script, a record built again.

pub mod health;
pub mod inspect;
pub mod replay;
pub mod script;
pub mod tcb;
