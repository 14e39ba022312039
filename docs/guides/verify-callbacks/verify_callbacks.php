<?php

declare(strict_types=1);

namespace Cardwright\Callbacks;

use InvalidArgumentException;
use JsonException;
use RuntimeException;

// Verifies Cardwright's callbacks. No extension beyond what PHP 8.1 has by default.

const TOLERANCE_MS = 300_000; // five minutes
const BODY_BYTES_MAX = 1_048_576; // a callback has a few hundred
const SIGNATURES_MAX = 10; // the header holds two while a secret is being changed

/** Not from the platform, or not from now: answer a code that is not 0, and book nothing. */
final class CallbackRefused extends RuntimeException
{
}

/**
 * Headers by lower-case name, such as array_change_key_case(getallheaders()); body as in file_get_contents('php://input').
 * Answers id, action and the text of data, for json_decode.
 */
function verifyV1(array $headers, string $body, string $appId, string $apiSecret, ?int $nowMs = null): array
{
    if ($apiSecret === '') {
        throw new InvalidArgumentException('the API secret is empty: anyone could sign');
    }
    if (($headers['sign-version'] ?? '') !== 'V1') {
        throw new CallbackRefused('sign_version_unknown');
    }
    $signature = $headers['signature'] ?? '';
    if ($signature === '') {
        throw new CallbackRefused('signature_missing');
    }
    $timestamp = $headers['timestamp'] ?? '';
    if (preg_match('/^[0-9]{13}$/D', $timestamp) !== 1) {
        throw new CallbackRefused('timestamp_invalid');
    }
    checkTime((int) $timestamp, $nowMs);
    if (strlen($body) > BODY_BYTES_MAX) {
        throw new CallbackRefused('body_invalid');
    }
    $top = members($body);
    $data = members($top['data'] ?? '');
    $id = $top['id'] ?? '';
    $action = $top['action'] ?? '';
    if (preg_match('/^(?:[-0-9]|"[^"])/', $id) !== 1 || preg_match('/^"[^"]/', $action) !== 1) {
        throw new CallbackRefused('body_invalid');
    }
    if (isset($data['appId']) || isset($data['timestamp'])) {
        throw new CallbackRefused('body_invalid'); // would hide behind the signature's own
    }
    $pairs = array_map(textOf(...), array_filter($data, fn (string $raw): bool => $raw !== 'null'));
    $pairs += ['appId' => $appId, 'timestamp' => $timestamp];
    ksort($pairs, SORT_STRING); // by bytes of UTF-8, which is code-point order
    $signed = [];
    foreach ($pairs as $key => $text) {
        $signed[] = "$key=$text";
    }
    if (!hash_equals(hash_hmac('sha256', implode('&', $signed), $apiSecret), $signature)) {
        throw new CallbackRefused('signature_mismatch');
    }
    return ['id' => textOf($id), 'action' => textOf($action), 'dataText' => $top['data']];
}

/** Standard Webhooks: covers the whole body, which json_decode may read afterwards. */
function verifyStandard(array $headers, string $body, array $secrets, ?int $nowMs = null): void
{
    $id = $headers['webhook-id'] ?? '';
    if ($id === '' || str_contains($id, '.')) {
        throw new CallbackRefused('id_invalid');
    }
    $signatures = $headers['webhook-signature'] ?? '';
    if ($signatures === '') {
        throw new CallbackRefused('signature_missing');
    }
    $timestamp = $headers['webhook-timestamp'] ?? '';
    if (preg_match('/^[0-9]{1,12}$/D', $timestamp) !== 1) {
        throw new CallbackRefused('timestamp_invalid');
    }
    checkTime((int) $timestamp * 1000, $nowMs);
    $isGood = false;
    foreach ($secrets as $secret) {
        $key = base64_decode(preg_replace('/^whsec_/', '', $secret), true);
        if ($key === false || $key === '') {
            throw new InvalidArgumentException('a webhook secret is empty or not Base64');
        }
        $expected = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$timestamp.$body", $key, true));
        foreach (array_slice(explode(' ', $signatures), 0, SIGNATURES_MAX) as $given) {
            $isGood = hash_equals($expected, $given) || $isGood; // all, so that the time does not tell which was good
        }
    }
    if (!$isGood) {
        throw new CallbackRefused('signature_mismatch');
    }
}

function checkTime(int $signedAtMs, ?int $nowMs): void
{
    $ageMs = ($nowMs ?? (int) (microtime(true) * 1000)) - $signedAtMs;
    if ($ageMs > TOLERANCE_MS) {
        throw new CallbackRefused('timestamp_stale');
    }
    if ($ageMs < -TOLERANCE_MS) {
        throw new CallbackRefused('timestamp_future');
    }
}

/** Cuts a JSON object into its members without changing a character of their values. */
function members(string $json): array
{
    try {
        $value = json_decode($json, true, 100, JSON_THROW_ON_ERROR); // the grammar, UTF-8 and whole surrogate pairs
    } catch (JsonException) {
        throw new CallbackRefused('body_invalid');
    }
    if (!is_array($value) || !str_starts_with(ltrim($json, " \t\r\n"), '{')) {
        throw new CallbackRefused('body_invalid');
    }
    $members = [];
    $depth = 0;
    $from = 0;
    $key = '';
    // Known to be JSON: whole strings and the six structural characters are all there is to look at.
    preg_match_all('/"[^"\\\\]*+(?:\\\\.[^"\\\\]*+)*+"|[{}[\]:,]/', $json, $tokens, PREG_OFFSET_CAPTURE);
    foreach ($tokens[0] as [$token, $at]) {
        if ($depth === 1 && $token === ':') {
            $key = textOf(trim(substr($json, $from, $at - $from), " \t\r\n"));
            $from = $at + 1;
        } elseif ($depth === 1 && ($token === ',' || $token === '}') && $value !== []) {
            if (array_key_exists($key, $members)) {
                throw new CallbackRefused('body_invalid'); // a key twice: readers differ in which they believe
            }
            $members[$key] = trim(substr($json, $from, $at - $from), " \t\r\n");
            $from = $at + 1;
        } elseif ($depth === 0) {
            $from = $at + 1;
        }
        $depth += match ($token) {
            '{', '[' => 1,
            '}', ']' => -1,
            default => 0,
        };
    }
    return $members;
}

/** What a value is signed as: a text without its quotes and escapes, anything else as it was sent. */
function textOf(string $raw): string
{
    return str_starts_with($raw, '"') ? json_decode($raw, true, 2, JSON_THROW_ON_ERROR) : $raw;
}
