//! What a policy reads: which circumstances, which arguments, and whether it needs groups.
//!
//! The answer is never too small. A policy in which it cannot be seen (`context` as a whole, a
//! nested argument) is a problem when it is loaded, not a surprise when it is evaluated. Groups
//! have no other way into a condition than a `Group` literal, because no attribute of the schema
//! has that type.

use std::collections::BTreeMap;

use cedar_policy::pst::{BinaryOp, Clause, Expr, Literal, Template, UnaryOp, Var};

use crate::reads::Reads;
use crate::schema::ArgumentType;

/// What one policy reads.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Facts {
    /// Context attributes.
    pub(crate) reads: Reads,
    /// Arguments of a tool call; `None`: only whether it is there.
    pub(crate) arguments: BTreeMap<String, Option<ArgumentType>>,
    /// Smallest age of a sign-in that the age is compared with, in seconds.
    pub(crate) greatest_age: Option<u64>,
}

/// Reads a policy's conditions.
///
/// # Errors
/// What to change so that it can be seen what the policy reads.
pub(crate) fn of(policy: &Template) -> Result<Facts, Vec<String>> {
    let mut reader = Reader::default();
    for clause in policy.clauses() {
        let (Clause::When(condition) | Clause::Unless(condition)) = clause;
        reader.read(condition, Some(ArgumentType::Flag));
    }
    reader
        .problems
        .extend(reader.facts.arguments.iter().filter_map(|(name, found)| {
            let is_compared = reader.compared.contains(name);
            (is_compared && found.is_none()).then(|| {
                format!(
                    "compare argument {name:?} with a text, a number or true, \
                 so that its type is known"
                )
            })
        }));
    if reader.problems.is_empty() {
        Ok(reader.facts)
    } else {
        Err(reader.problems)
    }
}

#[derive(Default)]
struct Reader {
    facts: Facts,
    /// Arguments whose value is used, not only their presence.
    compared: Vec<String>,
    problems: Vec<String>,
}

impl Reader {
    /// Reads an expression where a value of type `wanted` is expected, as far as that can be seen.
    fn read(&mut self, expression: &Expr, wanted: Option<ArgumentType>) {
        match expression {
            Expr::Var(Var::Context) => self.whole("context"),
            Expr::GetAttr { expr, attr } => match expr.as_ref() {
                Expr::Var(Var::Context) if attr == "arguments" => self.whole("context.arguments"),
                Expr::Var(Var::Context) => self.attribute(attr),
                inner if is_arguments(inner) => self.value(attr, wanted),
                inner if is_argument(inner) => self.nested(),
                inner => self.read(inner, None),
            },
            Expr::HasAttr { expr, attrs } => {
                let path: Vec<&str> = attrs.iter().map(AsRef::as_ref).collect();
                self.presence(expr, &path);
            }
            Expr::UnaryOp { op, expr } => self.read(expr, operand(*op)),
            Expr::BinaryOp { op, left, right } => self.binary(*op, left, right),
            Expr::Like { expr, .. } => self.read(expr, Some(ArgumentType::Text)),
            Expr::Is { expr, in_expr, .. } => {
                self.read(expr, None);
                in_expr.iter().for_each(|parent| self.read(parent, None));
            }
            Expr::IfThenElse {
                cond,
                then_expr,
                else_expr,
            } => {
                self.read(cond, Some(ArgumentType::Flag));
                self.read(then_expr, wanted.or_else(|| literal(else_expr)));
                self.read(else_expr, wanted.or_else(|| literal(then_expr)));
            }
            Expr::Set(elements) => {
                let wanted = elements.iter().find_map(|element| literal(element));
                elements
                    .iter()
                    .for_each(|element| self.read(element, wanted));
            }
            Expr::Record(fields) => fields.values().for_each(|field| self.read(field, None)),
            Expr::Literal(_) | Expr::Var(_) => {}
            _ => self
                .problems
                .push("it uses a part of Cedar that is not supported".to_owned()),
        }
    }

    fn binary(&mut self, op: BinaryOp, left: &Expr, right: &Expr) {
        let wanted = match op {
            BinaryOp::And | BinaryOp::Or => Some(ArgumentType::Flag),
            BinaryOp::Eq | BinaryOp::NotEq => type_of(left).or_else(|| type_of(right)),
            BinaryOp::Contains => type_of(left),
            BinaryOp::Less | BinaryOp::LessEq | BinaryOp::Greater | BinaryOp::GreaterEq => {
                self.compare_age(op, left, right);
                Some(ArgumentType::Number)
            }
            BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul => Some(ArgumentType::Number),
            _ => None,
        };
        self.read(left, wanted);
        self.read(right, wanted);
    }

    fn attribute(&mut self, name: &str) {
        match Reads::named(name) {
            Some(attribute) => self.facts.reads = self.facts.reads | attribute,
            None => self.problems.push(format!("there is no context.{name}")),
        }
    }

    /// `… has path`.
    fn presence(&mut self, base: &Expr, path: &[&str]) {
        match (base, path) {
            (Expr::Var(Var::Context), ["arguments"]) => self.whole("context.arguments"),
            (Expr::Var(Var::Context), ["arguments", name]) => {
                self.argument(name);
            }
            (Expr::Var(Var::Context), ["arguments", ..]) => self.nested(),
            (Expr::Var(Var::Context), [name, ..]) => {
                // `has` of an attribute that other actions have is false, and reads nothing.
                self.facts.reads = self.facts.reads | Reads::named(name).unwrap_or_default();
            }
            (inner, [name]) if is_arguments(inner) => {
                self.argument(name);
            }
            (inner, _) if is_arguments(inner) || is_argument(inner) => self.nested(),
            (inner, _) => self.read(inner, None),
        }
    }

    fn argument(&mut self, name: &str) -> &mut Option<ArgumentType> {
        self.facts.reads = self.facts.reads | Reads::ARGUMENTS;
        self.facts.arguments.entry(name.to_owned()).or_default()
    }

    fn value(&mut self, name: &str, wanted: Option<ArgumentType>) {
        self.compared.push(name.to_owned());
        let known = self.argument(name);
        match (*known, wanted) {
            (None, wanted) => *known = wanted,
            (Some(one), Some(other)) if one != other => {
                self.problems
                    .push(format!("argument {name:?} is compared as two types"));
            }
            _ => {}
        }
    }

    fn whole(&mut self, what: &str) {
        self.problems.push(format!(
            "use {what} only with the name of an attribute behind it"
        ));
    }

    fn nested(&mut self) {
        self.problems.push(
            "only an argument itself can be read, if it is a text, a whole number or true/false: \
             nothing inside it"
                .to_owned(),
        );
    }

    /// Notes the age of a sign-in up to which a comparison stays on its fresh side.
    fn compare_age(&mut self, op: BinaryOp, left: &Expr, right: &Expr) {
        let (seconds, is_exclusive) = match (left, right) {
            (age, Expr::Literal(Literal::Long(seconds))) if is_age(age) => {
                (*seconds, matches!(op, BinaryOp::Less | BinaryOp::GreaterEq))
            }
            (Expr::Literal(Literal::Long(seconds)), age) if is_age(age) => {
                (*seconds, matches!(op, BinaryOp::Greater | BinaryOp::LessEq))
            }
            _ => return,
        };
        let seconds = seconds.saturating_sub(i64::from(is_exclusive));
        let seconds = u64::try_from(seconds).unwrap_or(0);
        let known = self.facts.greatest_age.unwrap_or(u64::MAX);
        self.facts.greatest_age = Some(known.min(seconds));
    }
}

fn is_attribute(expression: &Expr, name: &str) -> bool {
    matches!(expression, Expr::GetAttr { expr, attr }
        if attr == name && matches!(expr.as_ref(), Expr::Var(Var::Context)))
}

fn is_age(expression: &Expr) -> bool {
    is_attribute(expression, "seconds_since_authentication")
}

fn is_arguments(expression: &Expr) -> bool {
    is_attribute(expression, "arguments")
}

fn is_argument(expression: &Expr) -> bool {
    matches!(expression, Expr::GetAttr { expr, .. } if is_arguments(expr))
}

fn operand(op: UnaryOp) -> Option<ArgumentType> {
    match op {
        UnaryOp::Not => Some(ArgumentType::Flag),
        UnaryOp::Neg => Some(ArgumentType::Number),
        _ => None,
    }
}

fn literal(expression: &Expr) -> Option<ArgumentType> {
    match expression {
        Expr::Literal(Literal::String(_)) => Some(ArgumentType::Text),
        Expr::Literal(Literal::Long(_)) => Some(ArgumentType::Number),
        Expr::Literal(Literal::Bool(_)) => Some(ArgumentType::Flag),
        _ => None,
    }
}

/// The type of a value, or of the elements of a set, where it can be seen at a glance.
fn type_of(expression: &Expr) -> Option<ArgumentType> {
    match expression {
        Expr::Set(elements) => elements.iter().find_map(|element| literal(element)),
        Expr::UnaryOp {
            op: UnaryOp::Neg, ..
        } => Some(ArgumentType::Number),
        Expr::BinaryOp {
            op: BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul,
            ..
        } => Some(ArgumentType::Number),
        Expr::GetAttr { attr, .. } if is_text(attr) && !is_argument(expression) => {
            Some(ArgumentType::Text)
        }
        _ => literal(expression),
    }
}

/// Attributes of the schema that are texts or sets of texts.
fn is_text(attribute: &str) -> bool {
    matches!(
        attribute,
        "name"
            | "email"
            | "resource"
            | "scopes"
            | "acr"
            | "amr"
            | "client_authentication"
            | "sender_constraint"
    )
}
