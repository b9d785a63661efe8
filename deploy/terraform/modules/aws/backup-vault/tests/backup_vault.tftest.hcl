provider "aws" {
  region = "us-west-2"
}

run "with_a_key_of_its_region" {
  command = apply
  variables {
    name = "outrigger-test"
  }
  assert {
    condition     = aws_backup_vault.this.kms_key_arn == module.key.arn && !aws_backup_vault.this.force_destroy
    error_message = "it is encrypted with an own key, and is not destroyed with backups in it"
  }
  assert {
    condition     = output.name == "outrigger-test" && startswith(output.arn, "arn:aws:backup:")
    error_message = "plans and copies know where to"
  }
}
