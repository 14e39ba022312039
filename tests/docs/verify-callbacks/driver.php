<?php

// Feeds requests from stdin to the guide's PHP sample; one verdict a line. See samples.ts.

declare(strict_types=1);

require __DIR__ . '/verify_callbacks.php';

use function Cardwright\Callbacks\verifyStandard;
use function Cardwright\Callbacks\verifyV1;

function headers(array $names, array $fields): array
{
    $headers = [];
    foreach ($names as $at => $name) {
        if ($fields[2 + $at] !== '-') {
            $headers[$name] = base64_decode($fields[2 + $at], true);
        }
    }
    return $headers;
}

while (($line = fgets(STDIN)) !== false) {
    $fields = explode("\t", rtrim($line, "\n"));
    [$body, $nowMs] = [base64_decode($fields[5], true), (int) $fields[1]];
    try {
        if ($fields[0] === 'V1') {
            $headers = headers(['sign-version', 'timestamp', 'signature'], $fields);
            verifyV1($headers, $body, base64_decode($fields[6], true), base64_decode($fields[7], true), $nowMs);
        } else {
            $headers = headers(['webhook-id', 'webhook-timestamp', 'webhook-signature'], $fields);
            verifyStandard($headers, $body, explode(' ', base64_decode($fields[6], true)), $nowMs);
        }
        echo "ok\n";
    } catch (Cardwright\Callbacks\CallbackRefused $refused) {
        echo $refused->getMessage(), "\n";
    }
}
