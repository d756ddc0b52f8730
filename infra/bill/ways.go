package bill

// Ways are the ways of publishing whose usage is recorded, in the order in
// which they are shown.
var Ways = []string{"arrays of 25", "single", "one at a time"}
