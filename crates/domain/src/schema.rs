//! JSON Schema (draft 2020-12 unless the schema says otherwise) as the one way to validate JSON,
//! for the bodies of Outrigger's own operations and for the records of users.

use jsonschema::error::ValidationErrorKind;
use jsonschema::{PatternOptions, ValidationError, Validator};
use outrigger_kernel::{Error, FieldError, Result};
use serde_json::Value;

/// Most faults that one answer lists.
const FAULTS_MAX: usize = 50;

/// A compiled schema.
#[derive(Debug)]
pub struct Schema(Validator);

impl Schema {
    /// Compiles a schema. References to other documents are not followed. Patterns run on a
    /// linear-time engine, so no input can make one slow; that engine knows no look-around and no
    /// back-references.
    ///
    /// # Errors
    /// `invalid` naming the place in the schema, below `schema`.
    pub fn compile(schema: &Value) -> Result<Self> {
        if !(schema.is_object() || schema.is_boolean()) {
            return Err(Error::invalid(&["schema"], "schema", "a JSON Schema is an object"));
        }
        jsonschema::options()
            .should_validate_formats(true)
            .with_pattern_options(PatternOptions::regex())
            .build(schema)
            .map(Self)
            .map_err(|error| Error::invalid_fields(vec![fault(&error)]).within(&["schema"]))
    }

    /// Checks a value.
    ///
    /// # Errors
    /// `invalid` with each fault and its place, relative to the value.
    pub fn check(&self, value: &Value) -> Result<()> {
        if self.0.is_valid(value) {
            return Ok(());
        }
        Err(Error::invalid_fields(
            self.0.iter_errors(value).take(FAULTS_MAX).map(|error| fault(&error)).collect(),
        ))
    }
}

fn fault(error: &ValidationError<'_>) -> FieldError {
    let mut loc: Vec<String> = error
        .instance_path()
        .as_str()
        .split('/')
        .skip(1)
        .map(|part| part.replace("~1", "/").replace("~0", "~"))
        .collect();
    let message = match error.kind() {
        ValidationErrorKind::Required { property } => {
            loc.extend(property.as_str().map(ToOwned::to_owned));
            "this field is required".to_owned()
        }
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            loc.extend(unexpected.first().cloned());
            "this field is not known".to_owned()
        }
        // The value itself may be a secret (a password): say what was asked, not what was sent.
        _ => error.masked_with("the value").to_string(),
    };
    FieldError { loc, code: error.kind().keyword().to_owned().into(), message }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn faults_name_their_place_and_never_the_value() {
        let schema = Schema::compile(&json!({
            "type": "object", "required": ["password"], "additionalProperties": false,
            "properties": {"password": {"type": "string", "minLength": 10}, "tags": {"items": {"type": "integer"}}},
        }))
        .unwrap();
        let faults = |value| schema.check(&value).unwrap_err().fields().to_vec();
        let short = faults(json!({"password": "hunter2"}));
        assert_eq!(short[0].loc, ["password"]);
        assert_eq!(short[0].code, "minLength");
        assert!(!short[0].message.contains("hunter2"), "{short:?}");
        assert_eq!(faults(json!({}))[0].loc, ["password"]);
        let extra = faults(json!({"password": "0123456789", "x": 1, "tags": [1, "b"]}));
        assert!(extra.iter().any(|f| f.loc == ["x"] && f.code == "additionalProperties"));
        assert!(extra.iter().any(|f| f.loc == ["tags", "1"] && f.code == "type"));
    }

    #[test]
    fn a_bad_schema_is_named() {
        let error = Schema::compile(&json!({"type": "strin"})).unwrap_err();
        assert_eq!(error.fields()[0].loc[0], "schema");
        assert!(Schema::compile(&json!({"$ref": "http://example.com/x.json"})).is_err());
        assert!(Schema::compile(&json!(3)).is_err());
    }
}
