"""Who may come in by the doors; the whole defence is told in `gateway.admission.admission`."""
