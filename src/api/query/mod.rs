//! The query protocol of IAM and STS: forms in, XML out.

pub mod fields;
pub mod form;
pub mod page;
pub mod xml;

pub use fields::{Constraint, Fields, validation};
pub use form::Form;
pub use page::{Page, Paging};
pub use xml::{Xml, reply};
