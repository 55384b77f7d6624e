"""Claude on Amazon Bedrock: pure decisions on requests, streams and errors; one thin client."""
