package egresstest

import (
	"encoding/binary"
	"io"
	"net"
	"strings"

	"github.com/postino/postino/shared/webhook"
)

// handshakeHabits stop before there is any request.
var handshakeHabits = []habit{
	{"a silent handshake", webhook.ErrorTimeout, stay},
	{"a dripping handshake", webhook.ErrorTimeout, says("\x16\x03\x03\x40\x00\x02\x00\x3f\xfc", drip("x"))},
	{"a handshake without end", webhook.ErrorTLS, says("", flood("\x16\x03\x03\x40\x00\x02\xff\xff\xff"+strings.Repeat("x", 16380)))},
	{"half-closed in the handshake", webhook.ErrorReset, says("", halfClose)},
	{"noughts in the handshake", webhook.ErrorTLS, says("", flood("\x00"))},
	{"plain HTTP in the handshake", webhook.ErrorTLS, says(ok+"\r\n", stay)},
}

// Kinds of frames of HTTP/2, and their flags.
const (
	frameData, frameHeaders, frameReset, frameSettings, framePush = 0, 1, 3, 4, 5
	framePing, frameGoAway, frameWindow, frameContinuation        = 6, 7, 8, 9
	endStream, endHeaders                                         = 1, 4
)

// frame is a frame of HTTP/2.
func frame(kind, flags byte, stream uint32, payload string) string {
	head := binary.BigEndian.AppendUint32(nil, uint32(len(payload))<<8|uint32(kind))
	head = append(head, flags)
	return string(binary.BigEndian.AppendUint32(head, stream)) + payload
}

// status is a header block of a status alone.
func status(code string) string { return "\x08\x03" + code }

func setting(id uint16, value uint32) string {
	return string(binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint16(nil, id), value))
}

const (
	maxStreams   = 3
	windowSize   = 4
	maxFrameSize = 5
)

var (
	settings = frame(frameSettings, 0, 0, "")
	yes      = frame(frameHeaders, endHeaders, 1, status("200"))
)

// http2Habits are told of the connection once a request has come over it.
var http2Habits = []habit{
	{"silence", webhook.ErrorTimeout, stay},
	{"a stream that is reset", webhook.ErrorReset, writes(settings+frame(frameReset, 0, 1, "\x00\x00\x00\x02"), stay)},
	{"a stream that is refused", webhook.ErrorReset, writes(settings+frame(frameReset, 0, 1, "\x00\x00\x00\x07"), stay)},
	{"a stream that is reset after its headers", webhook.ErrorReset, writes(settings+yes+frame(frameReset, 0, 1, "\x00\x00\x00\x02"), stay)},
	{"a goodbye at once", webhook.ErrorReset, writes(settings+frame(frameGoAway, 0, 0, "\x00\x00\x00\x00\x00\x00\x00\x02hunter2"), stay)},
	{"a goodbye, then silence", webhook.ErrorTimeout, writes(settings+frame(frameGoAway, 0, 0, "\x00\x00\x00\x01\x00\x00\x00\x00"), stay)},
	{"headers, then silence", webhook.ErrorTimeout, writes(settings+yes, stay)},
	{"101", webhook.ErrorReset, writes(settings+frame(frameHeaders, endHeaders|endStream, 1, status("101")), stay)},
	{"101 that goes on", webhook.ErrorTimeout, writes(settings+frame(frameHeaders, endHeaders, 1, status("101")), stay)},
	{"early hints without end", webhook.ErrorReset, writes(settings, flood(frame(frameHeaders, endHeaders, 1, status("103"))))},
	{"headers without end", webhook.ErrorReset, writes(settings+frame(frameHeaders, 0, 1, status("200")), flood(frame(frameContinuation, 0, 1, "\x00\x01a\x01b")))},
	{"continuations of nothing", webhook.ErrorReset, writes(settings+frame(frameHeaders, 0, 1, status("200")), flood(frame(frameContinuation, 0, 1, "")))},
	{"a header repeated from the table", webhook.ErrorReset, writes(settings+frame(frameHeaders, endHeaders, 1, status("200")+"\x40\x01a\x7f\xa1\x1e"+strings.Repeat("b", 4000)+strings.Repeat("\xbe", 8000)), stay)},
	{"a body without end", Any, writes(settings+yes, flood(frame(frameData, 0, 1, strings.Repeat("x", 16000))))},
	{"empty data without end", webhook.ErrorReset, writes(settings+yes, flood(frame(frameData, 0, 1, "")))},
	{"dripping data", webhook.ErrorTimeout, writes(settings+yes, drip(frame(frameData, 0, 1, "x")))},
	{"pings without end", webhook.ErrorReset, writes(settings, flood(frame(framePing, 0, 0, "12345678")))},
	{"settings without end", webhook.ErrorReset, writes("", flood(settings))},
	{"windows without end", webhook.ErrorReset, writes(settings, flood(frame(frameWindow, 0, 1, "\x00\x00\x00\x01")))},
	{"frames of no kind", webhook.ErrorReset, writes(settings, flood(frame(99, 0, 0, strings.Repeat("x", 1000))))},
	{"a window of nothing", webhook.ErrorTimeout, writes(frame(frameSettings, 0, 0, setting(windowSize, 0)), stay)},
	{"no streams", webhook.ErrorTimeout, writes(frame(frameSettings, 0, 0, setting(maxStreams, 0)), stay)},
	{"a frame beyond its bound", webhook.ErrorReset, writes(settings+"\xff\xff\xff\x00\x00\x00\x00\x00\x01", flood("x"))},
	{"a push that nobody asked for", webhook.ErrorReset, writes(settings+frame(framePush, endHeaders, 1, "\x00\x00\x00\x02"+status("200")), stay)},
	{"resets of other streams", webhook.ErrorReset, writes(settings, flood(frame(frameReset, 0, 3, "\x00\x00\x00\x08")))},
	{"HTTP/1.1", webhook.ErrorReset, writes(ok+"\r\n", stay)},
}

// writes says something, and goes on to do something else.
func writes(text string, then func(net.Conn)) func(net.Conn) {
	return func(c net.Conn) {
		io.WriteString(c, text)
		then(c)
	}
}

// afterRequest waits for a request's headers, and takes what comes later.
func afterRequest(serve func(net.Conn)) func(net.Conn) {
	return func(c net.Conn) {
		const preface = len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
		if _, err := io.CopyN(io.Discard, c, int64(preface)); err != nil {
			return
		}
		for head := make([]byte, 9); head[3] != frameHeaders; {
			if _, err := io.ReadFull(c, head); err != nil {
				return
			}
			length := int64(head[0])<<16 | int64(head[1])<<8 | int64(head[2])
			if _, err := io.CopyN(io.Discard, c, length); err != nil {
				return
			}
		}
		go stay(c)
		serve(c)
	}
}
