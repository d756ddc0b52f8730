// Package openapi compares the OpenAPI document with a server: routes, keys,
// examples, valid requests, and every response.
package openapi
