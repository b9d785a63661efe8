output "id" {
  description = "The copies."
  value       = aws_db_instance_automated_backups_replication.this.id
}
