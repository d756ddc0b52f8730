// Package liquid renders templates that strangers wrote, in Shopify's language Liquid.
package liquid
