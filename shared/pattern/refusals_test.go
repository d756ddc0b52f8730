package pattern

// oddities are what event-ruler does and nobody would guess: the examples of the package comment.
var oddities = []struct {
	pattern, data string
	match         bool
}{}

// refusals are patterns that Compile refuses, with the fault it names, and whether event-ruler takes them.
var refusals = []struct {
	pattern, fault string
	ruler          bool
}{}
