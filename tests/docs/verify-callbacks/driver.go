// Feeds requests from stdin to the guide's Go sample; one verdict a line. See samples.ts.
package main

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"samples/callbacks"
)

func field(text string) string {
	value, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		panic(err)
	}
	return string(value)
}

func headers(names, fields []string) http.Header {
	header := http.Header{}
	for at, name := range names {
		if fields[at] != "-" {
			header.Set(name, field(fields[at]))
		}
	}
	return header
}

func verify(fields []string) error {
	nowMs, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		panic(err)
	}
	now, body := time.UnixMilli(nowMs), []byte(field(fields[5]))
	if fields[0] == "V1" {
		header := headers([]string{"Sign-Version", "Timestamp", "Signature"}, fields[2:])
		_, err := callbacks.VerifyV1(header, body, field(fields[6]), field(fields[7]), now)
		return err
	}
	header := headers([]string{"Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"}, fields[2:])
	return callbacks.VerifyStandard(header, body, strings.Split(field(fields[6]), " "), now)
}

func main() {
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	in := bufio.NewReader(os.Stdin)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		verdict := "ok"
		if err := verify(strings.Split(strings.TrimSuffix(line, "\n"), "\t")); err != nil {
			verdict = err.Error()
		}
		fmt.Fprintln(out, verdict)
	}
}
