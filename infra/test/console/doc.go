// Package console opens the console in a real browser, Debian's Chromium, and
// uses it as people do, against local mode. Whatever the browser reports as an
// error, and each request that fails, fails the test. Each screen is checked by
// axe, in light and dark and at a width of 320 pixels.
//
// Pictures of all screens go into the folder that POSTINO_SCREENSHOTS names.
// While one works on them, POSTINO_SCREENS=event,edit looks at these screens
// only, and POSTINO_PATIENCE=5000 waits five seconds for what should appear.
package console
