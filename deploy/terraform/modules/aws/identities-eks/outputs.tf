output "service_accounts" {
  description = "Under which service account (namespace/name) each part must run."
  value       = { for key, identity in local.identities : key => "${identity.namespace}/${identity.account}" }
}

output "role_arns" {
  description = "The roles of the application's service accounts."
  value       = { for account in keys(var.application_policies) : account => aws_iam_role.this[account].arn }
}
