"""What is measured: metrics and where they are sent, the models' performance, costs."""
