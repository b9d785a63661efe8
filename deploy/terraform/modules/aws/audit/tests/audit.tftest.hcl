provider "aws" {
  region = "us-east-1"
}

variables {
  name        = "outrigger-test"
  bucket_name = "outrigger-test-123456789012-audit"
}

run "of_all_regions" {
  command = apply
  assert {
    condition     = aws_cloudtrail.this.is_multi_region_trail && aws_cloudtrail.this.enable_log_file_validation && aws_cloudtrail.this.kms_key_id == module.key.arn
    error_message = "the trail covers all regions, can be verified and is encrypted"
  }
  assert {
    condition     = aws_config_configuration_recorder_status.this[0].is_enabled && aws_config_configuration_recorder.this[0].recording_group[0].all_supported
    error_message = "Config records everything"
  }
}

run "wrong_input" {
  command = plan
  variables {
    days = 1
  }
  expect_failures = [var.days]
}
