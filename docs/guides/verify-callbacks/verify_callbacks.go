// Package callbacks verifies Cardwright's callbacks with the standard library alone.
package callbacks

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	tolerance     = 5 * time.Minute
	bodyBytesMax  = 1 << 20 // a callback has a few hundred
	signaturesMax = 10      // the header holds two while a secret is being changed
)

// Why a callback is refused. Answer a code that is not 0, and book nothing.
var (
	ErrSignVersionUnknown = errors.New("sign_version_unknown")
	ErrIDInvalid          = errors.New("id_invalid")
	ErrSignatureMissing   = errors.New("signature_missing")
	ErrTimestampInvalid   = errors.New("timestamp_invalid")
	ErrTimestampStale     = errors.New("timestamp_stale")
	ErrTimestampFuture    = errors.New("timestamp_future")
	ErrBodyInvalid        = errors.New("body_invalid")
	ErrSignatureMismatch  = errors.New("signature_mismatch")
)

// Callback is a body whose data the platform signed. V1 does not cover ID and Action.
type Callback struct {
	ID, Action string
	Data       json.RawMessage
}

// VerifyV1 checks the headers Sign-Version, Timestamp and Signature against the bytes of the body.
func VerifyV1(header http.Header, body []byte, appID, apiSecret string, now time.Time) (*Callback, error) {
	if apiSecret == "" {
		return nil, errors.New("the API secret is empty: anyone could sign")
	}
	if header.Get("Sign-Version") != "V1" {
		return nil, ErrSignVersionUnknown
	}
	signature, timestamp := header.Get("Signature"), header.Get("Timestamp")
	if signature == "" {
		return nil, ErrSignatureMissing
	}
	if err := checkTime(timestamp, thirteenDigits, time.Millisecond, now); err != nil {
		return nil, err
	}
	callback, signed, err := read(body, appID, timestamp)
	if err != nil {
		return nil, ErrBodyInvalid
	}
	mac := hmac.New(sha256.New, []byte(apiSecret))
	mac.Write([]byte(signed))
	if !hmac.Equal([]byte(hex.EncodeToString(mac.Sum(nil))), []byte(signature)) {
		return nil, ErrSignatureMismatch
	}
	return callback, nil
}

// VerifyStandard checks Standard Webhooks, which covers the whole body; json.Unmarshal may read it afterwards.
func VerifyStandard(header http.Header, body []byte, secrets []string, now time.Time) error {
	id, timestamp, signatures := header.Get("Webhook-Id"), header.Get("Webhook-Timestamp"), header.Get("Webhook-Signature")
	if id == "" || strings.Contains(id, ".") {
		return ErrIDInvalid
	}
	if signatures == "" {
		return ErrSignatureMissing
	}
	if err := checkTime(timestamp, upToTwelveDigits, time.Second, now); err != nil {
		return err
	}
	given := strings.Split(signatures, " ")
	if len(given) > signaturesMax {
		given = given[:signaturesMax]
	}
	isGood := false
	for _, secret := range secrets {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
		if err != nil || len(key) == 0 {
			return errors.New("a webhook secret is empty or not Base64")
		}
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + timestamp + "."))
		mac.Write(body)
		expected := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
		for _, each := range given {
			// All are compared, so that the time does not tell which was good.
			isGood = hmac.Equal([]byte(expected), []byte(each)) || isGood
		}
	}
	if !isGood {
		return ErrSignatureMismatch
	}
	return nil
}

var (
	thirteenDigits   = regexp.MustCompile(`^[0-9]{13}$`)
	upToTwelveDigits = regexp.MustCompile(`^[0-9]{1,12}$`)
	// Go would read half a surrogate pair as U+FFFD, so that two different texts had one signature.
	wholeCharacters = regexp.MustCompile(`(?s)^(?:[^\\]|\\[^u]|\\u(?:[^dD].|[dD][0-7])..|\\u[dD][89abAB]..\\u[dD][c-fC-F]..)*$`)
)

func checkTime(timestamp string, form *regexp.Regexp, unit time.Duration, now time.Time) error {
	if !form.MatchString(timestamp) {
		return ErrTimestampInvalid
	}
	count, _ := strconv.ParseInt(timestamp, 10, 64) // 13 digits at most
	ageMs := now.UnixMilli() - count*unit.Milliseconds()
	if ageMs > tolerance.Milliseconds() {
		return ErrTimestampStale
	}
	if ageMs < -tolerance.Milliseconds() {
		return ErrTimestampFuture
	}
	return nil
}

// read takes the body apart and answers the text that V1 signs beside it.
func read(body []byte, appID, timestamp string) (*Callback, string, error) {
	if len(body) > bodyBytesMax || !utf8.Valid(body) || !json.Valid(body) || !wholeCharacters.Match(body) {
		return nil, "", ErrBodyInvalid
	}
	top, err := members(body)
	if err != nil {
		return nil, "", err
	}
	data, err := members(top["data"])
	if err != nil {
		return nil, "", err
	}
	callback := &Callback{ID: textOf(top["id"]), Data: top["data"]}
	if json.Unmarshal(top["action"], &callback.Action) != nil || callback.Action == "" || !isID(top["id"]) {
		return nil, "", ErrBodyInvalid
	}
	texts := map[string]string{"appId": appID, "timestamp": timestamp}
	for key, raw := range data {
		if key == "appId" || key == "timestamp" {
			return nil, "", ErrBodyInvalid // would hide behind the signature's own
		}
		if string(raw) != "null" {
			texts[key] = textOf(raw)
		}
	}
	pairs := make([]string, 0, len(texts))
	for _, key := range sortedKeys(texts) {
		pairs = append(pairs, key+"="+texts[key])
	}
	return callback, strings.Join(pairs, "&"), nil
}

// members cuts a JSON object apart without changing a character of its values.
func members(text []byte) (map[string]json.RawMessage, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	if open, err := decoder.Token(); err != nil || open != json.Delim('{') {
		return nil, ErrBodyInvalid
	}
	found := map[string]json.RawMessage{}
	for decoder.More() {
		token, err := decoder.Token()
		key, isText := token.(string)
		var raw json.RawMessage
		if err != nil || !isText || decoder.Decode(&raw) != nil {
			return nil, ErrBodyInvalid
		}
		if _, isTwice := found[key]; isTwice {
			return nil, ErrBodyInvalid // readers differ in which of the two they believe
		}
		found[key] = raw
	}
	if _, err := decoder.Token(); err != nil {
		return nil, ErrBodyInvalid
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, ErrBodyInvalid
	}
	return found, nil
}

// textOf is what a value is signed as: a text without its quotes and escapes, anything else as it was sent.
func textOf(raw json.RawMessage) string {
	var text string
	if len(raw) > 0 && raw[0] == '"' && json.Unmarshal(raw, &text) == nil {
		return text
	}
	return string(raw)
}

func isID(raw json.RawMessage) bool {
	return len(raw) > 0 && (raw[0] == '"' && string(raw) != `""` || strings.ContainsRune("-0123456789", rune(raw[0])))
}

// sortedKeys sorts by bytes of UTF-8, which is code-point order.
func sortedKeys(texts map[string]string) []string {
	keys := make([]string, 0, len(texts))
	for key := range texts {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}
