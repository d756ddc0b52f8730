// Package module tests what `go install` and `go get` give to those who have
// no checkout: the program, and the module for receivers in verify/.
package module
