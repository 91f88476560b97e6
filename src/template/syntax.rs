//! The parser. minijinja marks it unstable: all of it that we use comes through here, so a new version touches this file
//! first, and what it changes in the tree shows where the tree is walked.

use minijinja::Error;
pub use minijinja::machinery::{Span as Place, ast};
use minijinja::machinery::{parse, parse_expr};
use minijinja::syntax::SyntaxConfig;

use super::templar::TemplateOptions;

/// A bare expression.
pub fn expression(source: &'static str) -> Result<ast::Expr<'static>, Error> {
    parse_expr(source)
}

/// Text with statements.
pub fn template(source: &'static str, options: &TemplateOptions) -> Result<ast::Stmt<'static>, Error> {
    parse(source, "", config(options)?)
}

fn config(options: &TemplateOptions) -> Result<SyntaxConfig, Error> {
    let o = options.clone();
    SyntaxConfig::builder()
        .block_delimiters(o.block_start_string, o.block_end_string)
        .variable_delimiters(o.variable_start_string, o.variable_end_string)
        .comment_delimiters(o.comment_start_string, o.comment_end_string)
        .trim_blocks(o.trim_blocks)
        .lstrip_blocks(o.lstrip_blocks)
        .build()
}
