provider "aws" {
  region = "us-east-1"
}

variables {
  name        = "outrigger-test"
  kms_key_arn = "arn:aws:kms:us-east-1:123456789012:key/1"
  protected   = true
  provided    = ["MAIL_URL"]
}

run "no_state_holds_them" {
  command = apply
  variables {
    rotation = { MAIL_URL = { function_arn = "arn:aws:lambda:us-east-1:123456789012:function:rotate", days = 30 } }
  }
  assert {
    condition     = keys(output.secrets) == ["MAIL_URL", "OUTRIGGER_SECRET"] && keys(aws_secretsmanager_secret_version.generated) == ["OUTRIGGER_SECRET"]
    error_message = "there is one for each setting, and only generated ones get a value"
  }
  assert {
    condition     = alltrue([for version in aws_secretsmanager_secret_version.generated : version.secret_string == null])
    error_message = "no value is in the state"
  }
  assert {
    condition     = alltrue([for secret in aws_secretsmanager_secret.this : secret.kms_key_id == var.kms_key_arn && secret.recovery_window_in_days == 30])
    error_message = "the key encrypts them, and they can be brought back"
  }
  assert {
    condition     = aws_secretsmanager_secret_rotation.this["MAIL_URL"].rotation_rules[0].automatically_after_days == 30
    error_message = "the function rotates"
  }
}

run "wrong_input" {
  command = plan
  variables {
    rotation = { OTHER = { function_arn = "f", days = 30 } }
  }
  expect_failures = [var.rotation]
}

run "one_name_twice" {
  command = plan
  variables {
    provided = ["OUTRIGGER_SECRET"]
  }
  expect_failures = [var.provided]
}
