//! Records: ours ([`record`]), what others say they built ([`read`]), what they show together ([`verdict`]), and who vouches for them ([`sign`]).
//! Nothing in a record is believed: it is a claim.

pub mod groups;
pub mod listed;
pub mod read;
pub mod record;
pub mod sign;
pub mod verdict;
