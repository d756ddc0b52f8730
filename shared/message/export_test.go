package message

// Names is how many messages have a name in JSON.
func Names() int { return len(names) }
