// Package openapi holds the API's description to what a server does: routes,
// keys, examples, what requests may say, and every answer.
package openapi
