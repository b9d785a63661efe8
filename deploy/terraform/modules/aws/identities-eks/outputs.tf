output "service_accounts" {
  description = "Under which service account (namespace/name) each part must run."
  value       = { for key, identity in local.identities : key => "${identity.namespace}/${identity.account}" }
}
