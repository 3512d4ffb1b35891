package scenarios

// Schema is the JSON Schema of a scenario file.
func Schema() ([]byte, error) { return []byte("{}\n"), nil }
