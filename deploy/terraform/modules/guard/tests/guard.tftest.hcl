# That a plan to destroy fails is shown by `cargo xtask infra`: a test would have to clean up after it.
run "protected" {
  command = plan
  variables {
    is_protected = true
  }
  assert {
    condition     = output.is_protected
    error_message = "there is what must not be destroyed"
  }
}

run "disposable" {
  command = plan
  variables {
    is_protected = false
  }
  assert {
    condition     = !output.is_protected
    error_message = "nothing stands in the way"
  }
}
